"""The pages of erasure: what is held about a customer, holds, the erasure itself, and the ledger."""
