# The two incidents, from raw logs to the answer. Sourced by ./run.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tell() { # TITLE SCENARIO
  printf '\n%s\n' "$1"
  "$egret" drill render "$2" --seed 1 --profile recommended --out "$work/$2" >/dev/null
  printf 'Raw logs: %s files, %s. Working …\n\n' "$(find "$work/$2/evidence" -type f | wc -l)" "$(du -sh "$work/$2/evidence" | cut -f1)"
  "$egret" investigate "$work/$2/evidence" --data "$work/$2/data"
}
tell "1. The false alarm: Defender says that a node talked to a command-and-control address. Who was it?" canada-central
tell "2. The payment pod: far more HTTPS to an unknown endpoint than ever. Which release brought it?" payment-pod
printf '\nYour own logs: ./run investigate FOLDER     which logs help, and how to export them: ./run collect --print\n'
