"""The ground floor of bulk loads: typed fields, vectorised conversion, staging, bulk writes. Rooms build loaders on it.

``rondo.interactions.importing`` reads files and drives the loaders; a room's ``loading.py`` says what its rows mean.
"""
