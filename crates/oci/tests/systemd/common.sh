# What all scripts begin with. A check prints "ok" and its name, or what was there in place of what was expected.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_PAGER=cat SYSTEMD_COLORS=0 TERM=dumb
mount -t tmpfs tmpfs /tmp

# is NAME EXPECTED FOUND
is() {
    if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: expected [$2], found [$3]"; fi
}
# done_by NAME COMMAND...
done_by() {
    name=$1
    shift
    # To a file: a container that goes on has it open.
    if "$@" >/tmp/said 2>&1; then echo "ok $name"; else echo "not ok $name: code $? of $*: $(cat /tmp/said)"; fi
}
# refused NAME WORDS COMMAND...
refused() {
    name=$1 words=$2
    shift 2
    if "$@" >/tmp/said 2>&1; then echo "not ok $name: $* succeeded"; return; fi
    said=$(cat /tmp/said)
    case $said in
    *"$words"*) echo "ok $name" ;;
    *) echo "not ok $name: it says [$said]" ;;
    esac
}
# The value of a property.
property() { systemctl show --value -p "$2" "$1"; }
# What a file holds, on one line.
file() { tr '\n' ' ' <"$1" | sed 's/ $//'; }
# until_it COMMAND...: for at most a minute.
until_it() {
    for _ in $(seq 300); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.2
    done
    echo "not ok: $* did not come true"
}
cuddy() { "$runtime" --systemd-cgroup "$@"; }
