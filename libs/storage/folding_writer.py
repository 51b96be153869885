"""The writing end of the events file: a transaction folds what it appended when it ends."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

from libs.domain.event import Event
from libs.faults import PartUnavailable
from libs.features.event_columns import from_events
from libs.storage import decision_table, event_log
from libs.storage.feature_tables import FeatureTables
from libs.storage.sqlite import Writer, transaction
from libs.storage.transaction_lost import TransactionLost


class FoldingWriter:
    """Transactions that bring log and features to the file together, for one thread at a time.

    `note_late` is told, of what has become durable, since when a tenant's past is another one.
    """

    def __init__(
        self, writer: Writer, features: FeatureTables, note_late: Callable[[str, int], None]
    ) -> None:
        self.connection = writer.connection
        self._writer = writer
        self._features = features
        self._note_late = note_late
        # What the running transaction has appended to the log and not folded yet, and from when
        # on it has changed the past of each tenant.
        self._unfolded: list[tuple[str, list[Event]]] = []
        self._changed_from: list[tuple[str, int]] = []
        self._is_in_transaction = False

    def close(self) -> None:
        """Close the file, then let the next writer in."""
        self._writer.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes of the block durable together; inside, each call still fails alone.

        Unless the file fails in a way that undoes them all: that call, and every one after it in
        the block, raises TransactionLost, and the block PartUnavailable.
        """
        is_outermost, mark = not self._is_in_transaction, len(self._unfolded)
        changed_mark = len(self._changed_from)
        if not is_outermost:
            self._check_alive()
        self._is_in_transaction = True
        try:
            with transaction(self.connection):
                yield
                self._check_alive()
                if is_outermost:
                    self._fold()
        except BaseException as error:
            del self._unfolded[mark:]
            del self._changed_from[changed_mark:]
            if is_outermost:
                self._features.forget()
            is_lost = isinstance(error, TransactionLost) and is_outermost
            if is_lost or isinstance(error, sqlite3.OperationalError):
                raise PartUnavailable("events", str(error)) from error
            raise
        finally:
            if is_outermost:
                self._is_in_transaction = False
        if is_outermost:
            for tenant, from_ms in self._changed_from:
                self._note_late(tenant, from_ms)
            self._changed_from.clear()

    def append(self, tenant: str, events: list[Event], now_ms: int) -> None:
        """Append new events to the log, in a transaction, whose end folds them."""
        said = decision_table.attributions(self.connection, tenant, events)
        event_log.append(self.connection, tenant, events, said, now_ms)
        self._unfolded.append((tenant, events))
        self.note_changed(tenant, min(event.occurred_ms for event in events))

    def note_changed(self, tenant: str, from_ms: int) -> None:
        """Note that the transaction changes a tenant's past from `from_ms` on."""
        self._changed_from.append((tenant, from_ms))

    def fold_early(self) -> None:
        """Fold what the running transaction has appended so far, whole or not at all."""
        if not self._is_in_transaction:
            return
        unfolded = self._unfolded
        try:
            with transaction(self.connection):
                self._fold()
        except BaseException:
            self._unfolded = unfolded
            self._features.forget()
            raise

    def _fold(self) -> None:
        """Bring the features up to the log, once for all calls of the transaction."""
        unfolded, self._unfolded = self._unfolded, []
        by_tenant: dict[str, list[Event]] = {}
        for tenant, events in unfolded:
            by_tenant.setdefault(tenant, []).extend(events)
        for tenant, events in by_tenant.items():
            self._features.apply(tenant, events, from_events(events))

    def _check_alive(self) -> None:
        # Without a transaction each statement would be durable by itself.
        if not self.connection.in_transaction:
            raise TransactionLost("the transaction was undone by an earlier failure")
