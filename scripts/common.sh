# Shared by the scripts of this folder; sourced, not run. Sets `root`, the checkout, and moves there.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"

# fail MESSAGE…: one line on standard error, exit status 1.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# note MESSAGE…: progress, on standard error.
note() {
  printf '== %s\n' "$*" >&2
}

# The project's own Python, and the wheels' cuobjdump and nvdisasm, come first in the search path once set up.
use_environment() {
  if [ -x "$root/.venv/bin/python" ]; then
    export VIRTUAL_ENV="$root/.venv"
    export PATH="$root/.venv/bin:$PATH"
    local tools
    for tools in "$root"/.venv/lib/python3*/site-packages/nvidia/*/bin; do
      [ -d "$tools" ] && export PATH="$PATH:$tools"
    done
  fi
  return 0
}
