"""The subcommands that do one thing and end; each stands on the functions the server uses."""
