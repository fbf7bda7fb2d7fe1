"""Addresses of erasure."""

from django.urls import path

from rondo.web.erasure import ledger, views

of_customers = [
    path("<str:public_id>/data", views.data, name="customer-data"),
    path("<str:public_id>/data.zip", views.bundle, name="customer-bundle"),
    path("<str:public_id>/erase", views.erase_one, name="customer-erase"),
    path("<str:public_id>/holds/put", views.hold, name="customer-hold"),
    path("<str:public_id>/holds/<int:hold_id>/end", views.end, name="customer-hold-end"),
]
of_settings = [
    path("", ledger.erasures, name="erasures"),
    path("years", ledger.years, name="erasures-years"),
    path("ledger.jsonl", ledger.ledger_file, name="erasures-ledger"),
    path("kept.csv", ledger.kept, name="erasures-kept"),
    path("<str:public_id>/", ledger.erasure, name="erasure"),
    path("<str:public_id>/progress", ledger.progress, name="erasure-progress"),
    path("<str:public_id>/again", ledger.again, name="erasure-again"),
]
