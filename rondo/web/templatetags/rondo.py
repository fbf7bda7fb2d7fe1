"""Template tags of the shell: numbers, money and dates in the viewer's locale, icons, public ids."""

from django import template

register = template.Library()
