"""Addresses of the customers list and the customer page."""

from django.urls import path

from rondo.web.customers import bin as bins
from rondo.web.customers import cells, consents, together
from rondo.web.customers.views import customer, groups, lists, tabs
from rondo.web.households import views as households

urlpatterns = [
    path("", lists.customers, name="customers"),
    path("count", lists.count, name="customers-count"),
    path("filter-form", lists.filter_form, name="customers-filter-form"),
    path("filter", lists.add_filter, name="customers-add-filter"),
    path("conditions", lists.conditions, name="customers-conditions"),
    path("conditions/use", lists.use_rule, name="customers-use-rule"),
    path("as-segment", lists.as_segment, name="customers-as-segment"),
    path("columns", lists.choose_columns, name="customers-columns"),
    path("views/save", tabs.save, name="customers-view-save"),
    path("views/arrange", tabs.arrange_tabs, name="customers-views-arrange"),
    path("views/back/<int:entry_id>", tabs.back, name="customers-view-back"),
    path("views/<str:key>/change", tabs.change, name="customers-view-change"),
    path("views/<str:key>/delete", tabs.delete, name="customers-view-delete"),
    path("export.<slug:form>", lists.export_list, name="customers-export"),
    path("bin/", bins.bin_page, name="customers-bin"),
    path("bin/progress", bins.progress, name="customers-bin-progress"),
    path("bin/put", bins.put, name="customers-bin-put"),
    path("bin/list", bins.put_list, name="customers-bin-list"),
    path("bin/<int:bin_id>/back", bins.back, name="customers-bin-back"),
    path("bin/<str:public_id>/back", bins.back_one, name="customer-bin-back"),
    path("selected/value", together.value, name="customers-selected-value"),
    path("selected/change", together.change, name="customers-selected-change"),
    path("selected/back/<str:token>", together.take_back, name="customers-selected-back"),
    path("groups", groups.groups, name="customers-groups"),
    path("groups/<slug:which>", groups.groups_file, name="customers-groups-file"),
    path("cells/back/<str:token>", cells.take_back, name="customers-cell-back"),
    path("<str:public_id>/cells/<str:key>", cells.cell, name="customer-cell"),
    path("<str:public_id>/move", groups.move, name="customer-move"),
    path("<str:public_id>/", customer.customer, name="customer"),
    path("<str:public_id>/chain", customer.chain, name="customer-chain"),
    path("<str:public_id>/purchases", customer.purchases, name="customer-purchases"),
    path("<str:public_id>/purchases.csv", customer.purchases_csv, name="customer-purchases-csv"),
    path("<str:public_id>/baskets/<str:interaction_id>", customer.basket_lines, name="customer-basket"),
    path("<str:public_id>/log", customer.log, name="customer-log"),
    path("<str:public_id>/retract/<str:interaction_id>", customer.take_back, name="customer-retract"),
    path("<str:public_id>/consents", consents.note, name="customer-consent"),
    path("<str:public_id>/consents/<int:entry>/back", consents.take_back, name="customer-consent-back"),
    path("<str:public_id>/edit", customer.edit, name="customer-edit"),
    path("<str:public_id>/links", households.links, name="customer-links"),
    path("<str:public_id>/links/add", households.add, name="customer-link-add"),
    path("<str:public_id>/links/find", households.find, name="customer-links-find"),
    path("<str:public_id>/links/<int:link_id>/change", households.change, name="customer-link-change"),
    path("<str:public_id>/links/<int:link_id>/remove", households.remove, name="customer-link-remove"),
    path("<str:public_id>/links/back/<str:token>", households.take_back, name="customer-link-back"),
]
