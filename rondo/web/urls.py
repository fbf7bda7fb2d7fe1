"""Addresses of the shell and its own pages."""

from django.urls import include, path

from rondo.web.relations import views as relations
from rondo.web.views import (
    buying,
    cohorts,
    home,
    loyalty,
    movements,
    palette,
    portfolio,
    preferences,
    settings,
    sign_in,
    standing_rules,
    together,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("analyse", home.analyse, name="start-analysis"),
    path("analyse/progress", home.progress, name="analysis-progress"),
    path("analysis/", include("rondo.web.analysis.urls")),
    path("customers/", include("rondo.web.customers.urls")),
    path("campaigns/", include("rondo.web.campaigns.urls")),
    path("loyalty/", loyalty.loyalty, name="loyalty"),
    path("loyalty/relationships/", relations.relationships, name="relationships"),
    path("loyalty/rules", standing_rules.rules, name="standing-rules"),
    path("loyalty/rules/progress", standing_rules.progress, name="standing-rules-progress"),
    path("loyalty/rules/apply", standing_rules.apply, name="standing-rules-apply"),
    path("portfolio/", portfolio.portfolio, name="portfolio"),
    path("portfolio/movements/", movements.movements, name="movements"),
    path("portfolio/movements/customers", movements.customers, name="movements-customers"),
    path("portfolio/movements/table.csv", movements.table, name="movements-table"),
    path("portfolio/buying/", buying.buying, name="buying"),
    path("portfolio/cohorts/", cohorts.cohorts, name="cohorts"),
    path("portfolio/stages/", include("rondo.web.stages.urls")),
    path("portfolio/together/", together.together, name="together"),
    path("portfolio/together/<slug:level>.csv", together.together_csv, name="together-csv"),
    path("charts/<slug:key>.csv", portfolio.download, name="chart-csv"),
    path("reports/", include("rondo.web.reports.urls")),
    path("segments/", include("rondo.web.segments.urls")),
    path("palette", palette.palette, name="palette"),
    path("in/<str:token>", sign_in.by_link, name="sign-in-by-link"),
    path("preferences/language", preferences.set_language, name="set-language"),
    path("preferences/theme", preferences.set_theme, name="set-theme"),
    path("profile/", settings.profile, name="profile"),
    path("profile/tokens", settings.make_token, name="make-token"),
    path("profile/tokens/<int:token_id>/revoke", settings.revoke_token, name="revoke-token"),
    path("settings/", settings.installation_settings, name="settings"),
]
