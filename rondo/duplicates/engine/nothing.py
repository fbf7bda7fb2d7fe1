"""What the engine raises where records cannot tell."""

from rondo.errors import InputError


class NothingToCompare(InputError):
    """There are fewer than two records, or no name, e-mail address or phone number among enough of them.

    ``have`` is how many of the ``records`` have what each comparison needs.
    """

    def __init__(self, records: int, have: dict[str, int]) -> None:
        super().__init__(
            f"{records} records, and no name, e-mail address or phone number among enough of them: nothing tells "
            "whether two are one person."
        )
        self.records, self.have = records, have
