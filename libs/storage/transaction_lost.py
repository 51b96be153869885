"""What ends a transaction from inside: nothing that was written in it is there any more."""

from libs.faults import PartUnavailable


class TransactionLost(Exception):
    """The store itself undid the whole transaction, such as on a full disk.

    Whoever answers several writes of one transaction lets it pass: none of them was written, and
    what came after would be written on its own.
    """


class WriteConflict(PartUnavailable):
    """Two writers waited for each other, and this one was made to give way: again it succeeds."""
