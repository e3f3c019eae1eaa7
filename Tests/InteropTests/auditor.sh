#!/bin/sh
# Audits a signed model with nothing of this project: openssl, sha256sum and the usual text tools.
#
# usage: auditor.sh MODEL_DIR SIGNATURE PUBLIC_KEY.pem
#
# Exit status: 0 the directory holds exactly the files that the key's owner signed, 1 it does not, 2 it cannot be
# checked.
set -eu
directory=$1 signature=$2 key=$3
for needed in "$directory/." "$signature" "$key"; do
    [ -r "$needed" ] || { echo "cannot read $needed" >&2; exit 2; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

refuse() {
    echo "REFUSED: $1"
    exit 1
}

# The first value of a string member of the bundle.
member() {
    grep -oE "\"$1\": ?\"[^\"]*\"" "$signature" | head -n 1 | sed -E 's/^"[^"]*": ?"(.*)"$/\1/'
}

# 1. The signature covers the payload and its type, joined as DSSE says.
type=$(member payloadType)
member payload | base64 -d >"$scratch/payload" 2>/dev/null || refuse "the payload is not base64"
member sig | base64 -d >"$scratch/sig" 2>/dev/null || refuse "the signature is not base64"
printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$(wc -c <"$scratch/payload")" >"$scratch/signed"
cat "$scratch/payload" >>"$scratch/signed"
case $(openssl pkey -pubin -in "$key" -noout -text 2>/dev/null) in
    *P-384*) hash=sha384 ;;
    *) hash=sha256 ;;
esac
openssl dgst -$hash -verify "$key" -signature "$scratch/sig" "$scratch/signed" >/dev/null 2>&1 ||
    refuse "the signature is not this key's"

# 2. The payload lists a digest and a name for each file; the directory holds these and no others.
grep -oE '"resources": ?\[[^]]*\]' "$scratch/payload" | grep -oE '\{[^}]*\}' |
    sed -nE 's/.*"digest": ?"([0-9a-f]{64})".*"name": ?"([^"\\]+)".*/\1  \2/p' >"$scratch/sums"
cut -c 67- "$scratch/sums" | LC_ALL=C sort >"$scratch/listed"
(cd "$directory" && find . ! -type d | cut -c 3-) | LC_ALL=C sort >"$scratch/found"
[ -s "$scratch/listed" ] || refuse "the statement lists no files"
diff "$scratch/listed" "$scratch/found" >"$scratch/difference" ||
    refuse "other files than the listed ones: $(grep '^[<>]' "$scratch/difference" | tr '\n' ' ')"
(cd "$directory" && sha256sum --quiet --strict -c "$scratch/sums") 2>/dev/null || refuse "a file was changed"
echo "VERIFIED: $(wc -l <"$scratch/sums") file(s) of $directory"
