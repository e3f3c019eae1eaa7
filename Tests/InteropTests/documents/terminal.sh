# The terminal that a document's commands run in: stand-ins for what needs root and systemd, and a small fleet.
# run_document.py begins each script with it. HERE is the script's directory, DOCUMENT the file it was made from.

declare -A units processes seen
replacements=()
line=0
output=$HERE/logs/block

# --- blocks: each defines `block` and is then run by one of these ---

run_block() {
    line=$1
    block >"$output" 2>&1
}

failing_block() {
    local status=0
    line=$1
    set +e
    (
        set -e
        block
    ) >"$output" 2>&1
    status=$?
    set -e
    [ "$status" = "$2" ] || fail "it ended with $status"
}

until_block() {
    local turn
    line=$1
    for turn in $(seq 300); do
        set +e
        (
            set -e
            block
        ) >"$output" 2>&1
        set -e
        if grep -qF -- "$2" "$output"; then return; fi
        sleep 0.2
    done
    fail "it never printed: $2"
}

daemon_block() {
    line=$1
    (
        set -e
        block
    ) >"$HERE/logs/$2" 2>&1 &
    processes[$2]=$!
    await "$2" "$3"
}

file_block() {
    line=$1
    mkdir -p "$(dirname "$2")"
    printf '%s' "$3" >"$2"
}

append_block() {
    line=$1
    printf '\n%s' "$3" >>"$2"
}

keep() {
    local found
    found=$(grep -oE -- "$3" "$output" | head -n 1) || true
    [ -n "$found" ] || fail "it printed nothing like $3"
    declare -g "$2=$found"
}

shows() {
    "$PYTHON" "$DOCUMENT_FOLDER/run_document.py" --shows "$2" "$output" || {
        line=$1
        fail "this is not what the block before it printed"
    }
}

fail() {
    echo "$1" >>"$output"
    exit 1
}

# --- daemons ---

# replace OLD NEW: also in what units start.
replace() {
    local unit
    for unit in "${!units[@]}"; do units[$unit]=${units[$unit]//"$1"/"$2"}; done
}

# await NAME TEXT: until the daemon has said so.
await() {
    local turn
    for turn in $(seq 150); do
        if tail -c "+$((${seen[$1]:-0} + 1))" "$HERE/logs/$1" 2>/dev/null | grep -F -- "$2" >/dev/null; then return; fi
        kill -0 "${processes[$1]}" 2>/dev/null || break
        sleep 0.2
    done
    cp "$HERE/logs/$1" "$output"
    fail "$1 never said: $2"
}

# start NAME COMMAND...
start() {
    local name=$1
    shift
    # What it said before its last end is no sign of life.
    seen[$name]=$(stat -c %s "$HERE/logs/$name" 2>/dev/null || echo 0)
    "$@" >>"$HERE/logs/$name" 2>&1 &
    processes[$name]=$!
}

stop() {
    local process=${processes[$1]:-}
    [ -n "$process" ] || return 0
    unset "processes[$1]"
    pkill -TERM -P "$process" 2>/dev/null || kill -TERM "$process" 2>/dev/null || true
    wait "$process" || true
}

finish() {
    local status=$? name
    set +e
    if [ "$status" != 0 ]; then
        echo "$DOCUMENT:$line: failed"
        tail -n 20 "$output" | sed "s/^/    /"
        for name in "${!processes[@]}"; do
            echo "  the end of what $name said:"
            tail -n 8 "$HERE/logs/$name" | sed 's/^/    /'
        done
    fi >&2
    for name in "${!processes[@]}"; do stop "$name"; done
    exit "$status"
}
trap finish EXIT
trap 'exit 1' TERM

# --- what a machine with systemd has ---

sudo() {
    if [ "$1" = -u ]; then shift 2; fi
    "$@"
}

systemctl() {
    local verb=$1 unit words
    shift
    if [ "${1:-}" = --now ]; then shift; fi
    for unit in "$@"; do
        unit=${unit%.service}
        read -ra words <<<"${units[$unit]:?there is no such unit}"
        case $verb in
        stop | disable | restart) stop "$unit" ;;&
        start | enable | restart)
            [ -z "${processes[$unit]:-}" ] || continue
            start "$unit" "${words[@]}"
            # A unit of Type=notify has started when it says that it is ready.
            if [ "$unit" = tributary-coordinator ]; then await "$unit" "listening on"; fi
            ;;
        esac
    done
}

journalctl() {
    while [ $# -gt 0 ]; do
        if [ "$1" = -u ]; then cat "$HERE/logs/${2%.service}"; fi
        shift
    done
}

# Without --config it reads the file of the machine, which here is another one.
tributary-agent() {
    case " $* " in
    *" --config "* | *" predict "* | *" --help "*) command tributary-agent "$@" ;;
    *) command tributary-agent "$@" --config "$HERE/etc/tributary/agent.toml" ;;
    esac
}

# --- a small fleet, for documents that begin where one is there ---

# example_data DIRECTORY ROWS SEED: images and labels as the plan of `example_plan` wants them.
example_data() { "$PYTHON" "$DOCUMENT_FOLDER/example_data.py" "$@"; }

# example_plan FILE: a plan named fashion, so small that a round takes no time.
example_plan() { "$PYTHON" "$DOCUMENT_FOLDER/example_data.py" --plan "$1"; }

# example_device NAME [ROWS]: enrols another device of the fleet in COORDINATOR and starts its daemon.
example_device() {
    local home=$HERE/devices/$1 token
    example_data "$home/data" "${2:-60}" "${#1}${2:-60}"
    printf '[agent]\nstate_directory = "state"\n\n[data.fashion]\ndirectory = "data"\n' >"$home/agent.toml"
    token=$(tributary-coordinator agent token --dir "$COORDINATOR" | grep -oE 'tributary1;[^ ]+')
    tributary-agent enroll --config "$home/agent.toml" --token "$token"
    start "$1" tributary-agentd --config "$home/agent.toml"
}

# example_coordinator DIRECTORY: a fleet with the plan applied, which serves.
example_coordinator() {
    COORDINATOR=$1
    example_data "$HERE/example/public" 300 1
    example_data "$HERE/example/test" 300 2
    example_plan "$HERE/example/fashion.toml"
    tributary-coordinator init --dir "$1" --address 127.0.0.1 --fleet example \
        --port "$PORT" --http-port 0 --dashboard-port 0
    example_configuration
    start coordinator tributary-coordinator serve --dir "$1"
    await coordinator "listening on"
    tributary-coordinator plan apply "$HERE/example/fashion.toml" --dir "$1"
}

# The plan's data, and agents that come back soon.
example_configuration() {
    printf '\n[check_in]\ncome_back_seconds = 1\n' >>"$COORDINATOR/coordinator.toml"
    printf '\n[data.fashion]\npublic = "%s"\ntest = "%s"\n' "$HERE/example/public" "$HERE/example/test" \
        >>"$COORDINATOR/coordinator.toml"
}

# await_devices COUNT: until so many are ready for the plan.
await_devices() {
    local turn
    for turn in $(seq 150); do
        if [ "$(tributary-coordinator agent list --dir "$COORDINATOR" --json |
            grep -o '"examples":[1-9]' | wc -l)" -ge "$1" ]; then return; fi
        sleep 0.2
    done
    fail "no $1 devices are ready"
}
