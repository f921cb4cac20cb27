#!/bin/sh
# Slurm's commands, as tlcourse uses them, for a machine that has no Slurm: called as sbatch, squeue, scancel or sinfo.
# Jobs wait in a queue of one person's own and run one in each place; with cards, a place is a card. Or, where the
# profile says how another scheduler is asked (tlcourse_submit, _list and _cancel), that one is asked.
# A job is a folder below queue-HOST: its name, state, and the process that waits or runs, which outlives the login.
bin=$(cd "$(dirname "$0")" && pwd)
submit=$tlcourse_submit list=$tlcourse_list cancel=$tlcourse_cancel
places=$tlcourse_places gpus=$tlcourse_gpus login=$tlcourse_login
queue=${bin%/bin}/queue-$(hostname)
umask 077
mkdir -p "$queue" || exit 1
me=$(basename "$0")

alive() { # the process that a job was given still is the one that it was
    [ -s "$1/pid" ] && [ "$(ps -o lstart= -p "$(cat "$1/pid")" 2>/dev/null)" = "$(cat "$1/started")" ]
}

state_of() {
    state=$(cat "$1/state" 2>/dev/null)
    case $state in PENDING | RUNNING) ;; *) echo "$state"; return ;; esac
    if [ -n "$list" ]; then
        if printf '%s\n' "$listed" | grep -qx "$(cat "$1/number")"; then echo RUNNING; else echo COMPLETED; fi
    elif alive "$1"; then echo "$state"
    elif [ -s "$1/pid" ]; then
        # it may have ended between the two looks
        state=$(cat "$1/state")
        case $state in PENDING | RUNNING) echo NODE_FAIL >"$1/state" ;; esac
        cat "$1/state"
    else echo PENDING; fi
}

first_in_line() {
    for other in $(ls "$queue" | sort -n); do
        [ "$other" = "$1" ] && return 0
        [ "$(cat "$queue/$other/state" 2>/dev/null)" = PENDING ] && alive "$queue/$other" && return 1
    done
}

count_places() { # cards are counted where the profile asks for some
    [ "$gpus" = 0 ] && return
    cards=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU')
    [ "$cards" -gt 0 ] || cards=$(ls /dev/dri/renderD* 2>/dev/null | wc -l)
    [ "$cards" -gt 0 ] && [ "$cards" -lt "$places" ] && places=$cards
}

run_job() { # in a session of its own
    count_places
    job=$queue/$1
    ps -o lstart= -p $$ >"$job/started"
    echo $$ >"$job/pid"
    locks=/tmp/tlcourse-places-$(id -u)
    mkdir -m 700 "$locks" 2>/dev/null
    [ -O "$locks" ] || { echo FAILED >"$job/state"; exit 1; }
    place=-1
    while [ $place -lt 0 ]; do
        [ -e "$job/cancelled" ] && { echo CANCELLED >"$job/state"; exit; }
        if first_in_line "$1"; then
            number=0
            while [ $number -lt "$places" ]; do
                exec 8>"$locks/$number"
                if flock -n 8; then place=$number; break; fi
                number=$((number + 1))
            done
        fi
        [ $place -ge 0 ] || sleep 0.5
    done
    echo RUNNING >"$job/state"
    cd "$(cat "$job/folder")" || exit 1
    [ "$gpus" = 0 ] || export CUDA_VISIBLE_DEVICES="$place" HIP_VISIBLE_DEVICES="$place"
    output=$(sed -n 's/^#SBATCH --output=//p' script.sh | sed "s/%j/$1/")
    minutes=$(sed -n 's/^#SBATCH --time=//p' script.sh)
    SLURM_JOB_ID=$1 timeout -k 30 "$((${minutes:-60} * 60))" bash $login script.sh >>"${output:-/dev/null}" 2>&1 8>&-
    code=$?
    if [ -e "$job/cancelled" ]; then echo CANCELLED
    elif [ $code = 0 ]; then echo COMPLETED
    elif [ $code = 124 ]; then echo TIMEOUT
    else echo FAILED; fi >"$job/state"
}

case $me in
sbatch)
    case "$*" in
    --version)
        count_places
        if [ -n "$submit" ]; then echo "the profile's own commands"; else echo "a queue of your own, $places at a time"; fi
        exit
        ;;
    --test-only*) cat >/dev/null; exit 0 ;;
    esac
    id=$(ls "$queue" | sort -n | tail -n 1)
    id=$((${id:-0} + 1))
    until mkdir "$queue/$id" 2>/dev/null; do id=$((id + 1)); done
    pwd >"$queue/$id/folder"
    sed -n 's/^#SBATCH --job-name=//p' script.sh >"$queue/$id/name"
    echo PENDING >"$queue/$id/state"
    if [ -n "$submit" ]; then
        number=$(script=script.sh; eval "$submit") || { rm -rf "${queue:?}/$id"; echo "sbatch: error: $number" >&2; exit 1; }
        number=$(printf '%s\n' "$number" | grep -Eo '[0-9]+' | tail -n 1)
        [ -n "$number" ] || { rm -rf "${queue:?}/$id"; echo "sbatch: error: \`submit\` printed no number" >&2; exit 1; }
        echo "$number" >"$queue/$id/number"
    else
        setsid "$bin/sbatch-run" "$id" </dev/null >/dev/null 2>&1 &
    fi
    echo "$id"
    ;;
sbatch-run) run_job "$1" ;;
squeue)
    format= name= live=1
    while [ $# -gt 0 ]; do
        case $1 in
        -o) format=$2; shift ;;
        -n) name=$2; shift ;;
        -t) [ "$2" = all ] && live=; shift ;;
        -u | -p | -M) shift ;;
        esac
        shift
    done
    find "$queue" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} + 2>/dev/null
    if [ -n "$list" ]; then listed=$(eval "$list") || exit 1; fi
    for id in $(ls "$queue" | sort -n); do
        job=$queue/$id
        [ -z "$name" ] || [ "$(cat "$job/name")" = "$name" ] || continue
        state=$(state_of "$job")
        [ -n "$state" ] || continue
        case $live$state in 1PENDING | 1RUNNING) ;; 1*) continue ;; esac
        reason=None
        if [ "$state" = PENDING ]; then if first_in_line "$id"; then reason=Resources; else reason=Priority; fi; fi
        printf '%s\n' "$format" | sed "s/%[iFA]/$id/g; s/%K/N\/A/g; s/%T/$state/g; s/%r/$reason/g; s/%N/$(hostname)/g; \
s/%S/N\/A/g; s/%P/here/g; s/%u/$(id -un)/g; s/%a//g; s/%Q/0/g; s/%j/$(cat "$job/name")/g"
    done
    ;;
scancel)
    wanted=
    for word; do
        case $word in
        --name=*) for job in "$queue"/*; do [ "$(cat "$job/name" 2>/dev/null)" = "${word#--name=}" ] && wanted="$wanted ${job##*/}"; done ;;
        -*) ;;
        *) wanted="$wanted ${word%%_*}" ;;
        esac
    done
    for id in $wanted; do
        job=$queue/$id
        [ -d "$job" ] || { echo "scancel: error: Invalid job id specified" >&2; continue; }
        if [ -n "$cancel" ]; then job=$(cat "$job/number"); eval "$cancel"; continue; fi
        touch "$job/cancelled"
        if alive "$job"; then
            session=$(cat "$job/pid")
            pkill -TERM -s "$session"
            sleep 1
            pkill -KILL -s "$session"
        fi
        case $(cat "$job/state") in PENDING | RUNNING) echo CANCELLED >"$job/state" ;; esac
    done
    ;;
sinfo)
    case "$*" in *%R*) echo here ;; *) echo "1|idle" ;; esac
    ;;
scontrol) echo "MaxArraySize = 2" ;; # one job at a time is sent
*)
    echo "accounting storage is disabled" >&2
    exit 1
    ;;
esac
