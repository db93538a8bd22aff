#!/bin/bash
# What a machine of the fleet runs, decided at each boot: the version that `current` names, and only if its SHA-256 is right.
set -euo pipefail
umask 022

# Only tests name others.
metadata="${MOVIDONE_METADATA:-http://169.254.169.254/metadata}"
protocols="${MOVIDONE_PROTOCOLS:-=https}"
versions="${MOVIDONE_VERSIONS:-/opt/movidone}"
settings="${MOVIDONE_SETTINGS:-/run/movidone/worker.env}"
pause="${MOVIDONE_PAUSE_SECONDS:-5}"

say() {
  echo "movidone-fetch: $*" >&2
}

# The machine's own service: it knows what the machine is told, and signs in as its identity.
metadata_of() {
  curl --silent --show-error --fail --noproxy '*' --max-time 20 --header 'Metadata: true' "$metadata/$1"
}

# The token goes by standard input: arguments are for all to see.
download() {
  local name="$1" file="$2"
  curl --silent --show-error --fail --proto "$protocols" --connect-timeout 10 \
    --speed-limit 1000 --speed-time 30 --output "$file" --config - "$store/$name" <<EOF
header = "Authorization: Bearer $token"
header = "x-ms-version: 2025-11-05"
EOF
}

setting() {
  sed -n "s/^$1=//p" "$told"
}

# Whole and on the disk before it has its name: the machine may be cut off at any moment.
install_version() {
  local version="$1" part="$versions/.part" sum
  rm -rf "$part"
  mkdir -p "$part/tree"
  download "$version.tar.gz" "$part/archive"
  sum="$(sha256sum <"$part/archive")"
  if [[ "${sum%% *}" != "$version" ]]; then
    say "refused: $version.tar.gz has the SHA-256 ${sum%% *}."
    return 1
  fi
  tar --extract --gzip --file "$part/archive" --directory "$part/tree" --no-same-owner --no-same-permissions
  sync --file-system "$part"
  mv --no-target-directory "$part/tree" "$versions/$version"
  rm -rf "$part"
}

once() {
  mkdir -p "$versions" "$(dirname "$settings")"
  told="$settings.new"
  metadata_of 'instance/compute/userData?api-version=2021-02-01&format=text' | base64 --decode >"$told"
  store="$(setting WORKER_URL)"
  local identity resource version
  identity="$(setting AZURE_CLIENT_ID)"
  if [[ -z "$store" || -z "$identity" ]]; then
    say 'the user data of this machine names no WORKER_URL and AZURE_CLIENT_ID.'
    return 1
  fi
  resource='https%3A%2F%2Fstorage.azure.com%2F'
  token="$(metadata_of "identity/oauth2/token?api-version=2018-02-01&resource=$resource&client_id=$identity" |
    sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')"

  download current "$versions/.current"
  version="$(head -c 64 "$versions/.current")"
  if [[ ! "$version" =~ ^[0-9a-f]{64}$ ]]; then
    say "the blob 'current' names no version."
    return 1
  fi
  [[ -d "$versions/$version" ]] || install_version "$version"

  ln --symbolic --force --no-dereference "$version" "$versions/.link"
  mv --no-target-directory "$versions/.link" "$versions/current"
  find "$versions" -mindepth 1 -maxdepth 1 -type d ! -name "$version" -exec rm -rf {} +
  mv "$told" "$settings"
  say "this machine runs $version."
}

# In a process of its own: the first thing that fails ends it, and it begins anew.
if [[ "${1:-}" == once ]]; then
  once
else
  until "$0" once; do
    say "again in $pause seconds."
    sleep "$pause"
  done
fi
