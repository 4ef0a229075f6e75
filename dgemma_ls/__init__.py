"""The language server: documents, features and protocol around ``dgemma_engine``."""
