"""The verbs of reports: making and changing them, and what becomes of each sending."""

from rondo.reports.actions.reports import (
    MOST_PAGES,
    change_report,
    create_report,
    delete_report,
    leave_report,
    pause_report,
    restore_report,
    resume_report,
)
from rondo.reports.actions.sendings import send_again, send_now

__all__ = [
    "MOST_PAGES",
    "change_report",
    "create_report",
    "delete_report",
    "leave_report",
    "pause_report",
    "restore_report",
    "resume_report",
    "send_again",
    "send_now",
]
