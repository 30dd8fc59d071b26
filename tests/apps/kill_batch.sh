#!/usr/bin/env bash
# Kills `glimpse batch` at random moments, goes on with --resume after each, and compares what comes out with an uninterrupted run.
#   bash tests/apps/kill_batch.sh GLIMPSE KILLS PICTURE…     (options of glimpse batch may stand among the pictures)
set -euo pipefail
glimpse=$1 kills=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '%s\n' "$*"; }

begin=$(date +%s%N)
status=0
"$glimpse" batch "$@" -o "$work/whole.jsonl" 2> "$work/errors" || status=$?
if [ "$status" -ne 0 ] && [ "$status" -ne 4 ]; then
  cat "$work/errors" >&2
  exit 1
fi
took=$((($(date +%s%N) - begin) / 1000000))
lines=$(wc -l < "$work/whole.jsonl")
say "uninterrupted: $lines records in $took ms"

# Each life lasts a random time around a tenth of the whole run; after one that ends by itself a new file is begun.
done=0 files=0 midway=0
file="$work/killed.jsonl"
while [ "$done" -lt "$kills" ]; do
  "$glimpse" batch "$@" -o "$file" --resume 2> "$work/errors" &
  process=$!
  sleep "$(awk -v ms=$((RANDOM % (took / 5 + 1) + 30)) 'BEGIN { print ms / 1000 }')"
  if kill -KILL "$process" 2> /dev/null; then
    wait "$process" 2> /dev/null || true
    done=$((done + 1))
    [ -e "$file" ] || continue  # it had not begun to write
    have=$(wc -l < "$file" 2> /dev/null || echo 0)
    [ "$have" -gt 0 ] && [ "$have" -lt "$lines" ] && midway=$((midway + 1))
    head -n "$have" "$file" 2> /dev/null | cmp -s -n "$(head -n "$have" "$file" 2> /dev/null | wc -c)" - "$work/whole.jsonl" || {
      say "after kill $done the file is not the beginning of the whole one"
      exit 1
    }
  else
    wait "$process" || true
  fi
  if [ "$(wc -l < "$file" 2> /dev/null || echo 0)" -eq "$lines" ]; then
    cmp "$file" "$work/whole.jsonl"
    files=$((files + 1))
    rm "$file"
  fi
done
"$glimpse" batch "$@" -o "$file" --resume 2> "$work/errors" || [ $? -eq 4 ]
cmp "$file" "$work/whole.jsonl"
say "$done kills, $midway of them between the first record and the last; $((files + 1)) files came out identical to the uninterrupted one"
