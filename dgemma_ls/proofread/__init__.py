"""Where typos may be looked for, and how documents are edited that must stay valid."""
