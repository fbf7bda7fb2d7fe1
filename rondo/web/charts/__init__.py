"""Charts: one grammar (Altair) drawn to SVG on the server, with a table behind each.

:mod:`.chart` holds what a chart is, :mod:`.svg` draws it, :mod:`.axes` makes scales and labels in the viewer's locale;
the other modules make the charts of the pages.
"""
