#!/usr/bin/env bash
# Copies what has changed since the last run; keeps seven days.
set -euo pipefail
shopt -s nullglob

source_dir=${1:?usage: backup.sh SOURCE TARGET}
target_dir=${2:-"$HOME/backups"}
today=$(date +%F)

log() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }

main() {
    mkdir -p "$target_dir/$today"
    local last=""
    for folder in "$target_dir"/????-??-??; do
        [[ $(basename "$folder") < $today ]] && last=$folder
    done
    rsync -a ${last:+--link-dest="$last"} -- "$source_dir/" "$target_dir/$today/"
    find "$target_dir" -maxdepth 1 -type d -mtime +7 -name '????-??-??' -exec rm -rf {} +
    log "done: $(du -sh "$target_dir/$today" | cut -f1)"
}

if [ -d "$source_dir" ]; then main; else log "no folder: $source_dir"; exit 1; fi
