"""Which names say that a file holds secrets. The table cannot be switched off by a workspace.

The idea is Continue's ``core/indexing/ignore.ts``. Left out of it are names that belong to ordinary
code as often (``config.json``, ``settings.json``, ``env/``, ``keys/``, ``*.bak``); of
``credentials*`` only files that hold data are taken, as ``credentials.py`` is code.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_DATA = ("json", "yml", "yaml", "toml", "ini", "cfg", "csv", "xml", "txt", "properties")

# Patterns as in .gitignore, of lower-case paths; a later one wins.
SECRET_PATTERNS: tuple[str, ...] = (
    # Environments; templates for them hold no values.
    *("*.env", ".env*", ".envrc", "*.env.local", ".renviron"),
    *("!.env.example", "!.env.sample", "!.env.template", "!.env.dist"),
    # Keys and certificates, with the stores that hold them.
    *("*.key", "*.pem", "*.p8", "*.p12", "*.pfx", "*.crt", "*.cer", "*.der", "*.csr"),
    *("*.jks", "*.keystore", "*.truststore", "*.ppk", "*.gpg", "*.pgp", "*.asc", "*.kdbx"),
    # SSH.
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "authorized_keys", "known_hosts"),
    # Credentials and tokens.
    *("credentials", "secrets", *(f"*{name}.{end}" for name in ("credentials", "secrets")
      for end in _DATA)),
    *("*.secret", "*.secrets", "*.token", "auth.json", "client_secret*.json"),
    *("service-account*.json", "service_account*.json", "serviceaccount*.json"),
    *("htpasswd", ".htpasswd", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".vault-token"),
    *(".git-credentials", ".npmrc", ".pypirc", ".dockercfg", ".boto", ".s3cfg", "rclone.conf"),
    *("kubeconfig", "local.settings.json", "*.tfvars", "*.tfvars.json", "*.tfstate*"),
    # Folders: everything in them.
    *(".aws/", ".azure/", ".gcp/", "gcloud/", ".kube/", ".docker/", ".ssh/", ".gnupg/"),
    *("secrets/", ".secrets/", ".password-store/"),
)  # fmt: skip


def is_secret(path: Path) -> bool:
    """Say whether the name of a file, or of a folder around it, is one of secrets.

    Args:
        path: absolute; symbolic links are not followed here.
    """
    # Lower case on every system: .ENV holds no less than .env.
    name = path.as_posix().removeprefix(path.anchor.replace("\\", "/")).lower()
    return _table().match_file(name)


@cache
def _table() -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec  # at the first document: the server starts without it

    return GitIgnoreSpec.from_lines(SECRET_PATTERNS, backend="simple")
