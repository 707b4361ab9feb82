#!/usr/bin/env bash
# Packs the package as npm would publish it, which builds dist/, and has its exports and types checked.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
package=$folder/$(npm pack --silent --pack-destination "$folder" | tail -n 1)
node_modules/.bin/publint run --strict "$package"
node_modules/.bin/attw "$package" --profile esm-only
