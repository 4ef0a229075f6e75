"""What can go wrong, sorted by whose fault it is.

The tree::

    EngineError
    ├── RequestError        the caller asked for something impossible
    ├── ModelFilesError     the model folder is at fault
    │   ├── ConfigError       config.json or generation_config.json
    │   ├── CheckpointError   a safetensors file or its index
    │   └── TokenizerError    tokenizer.json
    └── DeviceError         the device cannot do it (absent, too small)
        └── OutOfMemoryError   it could until now: its memory is used up

Every message is one sentence: what, which file and value, and the way out.
Cancellation and passed deadlines are no errors but ``StopReason`` values.
"""


class EngineError(Exception):
    """Base of every error that the engine raises on purpose."""


class RequestError(EngineError):
    """The caller's arguments cannot be served; the message names the argument and its bounds."""


class ModelFilesError(EngineError):
    """A file of the model folder is missing, damaged or unsupported."""


class ConfigError(ModelFilesError):
    """``config.json`` or ``generation_config.json`` is missing, malformed or unsupported."""


class CheckpointError(ModelFilesError):
    """A safetensors file is missing or damaged, or a tensor is absent or misshapen."""


class TokenizerError(ModelFilesError):
    """``tokenizer.json`` is missing or unusable, or text is not representable."""


class DeviceError(EngineError):
    """The chosen device does not exist or cannot hold the model."""


class OutOfMemoryError(DeviceError):
    """A request found no memory, not even after caches were dropped.

    Attributes:
        device: the kind of device: ``cpu``, ``cuda``.
    """

    def __init__(self, message: str, *, device: str) -> None:
        """Take the sentence and the kind of device."""
        super().__init__(message)
        self.device = device
