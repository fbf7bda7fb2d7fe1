"""Rows of many customers, kept small until they are written."""

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.ipc as ipc


class Kept:
    """Batches kept compressed until they are written, so that a million customers' rows fit beside their lines."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._parts: list[bytes] = []
        self.count = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch, in the types of the schema."""
        buffer = io.BytesIO()
        with ipc.new_stream(buffer, self.schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_batch(batch.cast(self.schema))
        self._parts.append(buffer.getvalue())
        self.count += batch.num_rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All batches, one after the other."""
        for part in self._parts:
            yield from ipc.open_stream(part)

    def table(self) -> pa.Table:
        """All batches as one table."""
        return pa.Table.from_batches(list(self.batches()), self.schema)
