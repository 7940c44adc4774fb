# Containers whose first process is a systemd, which makes groups below the container's own. Given: $machine, the
# configuration of one.

machine() {
    driver=$1 path=$2 group=$3
    sed "s|CGROUPS_PATH|$path|" "$machine" >/tmp/machine.json
    done_by "$driver: a systemd in a container" "$runtime" --cgroup-manager "$driver" run -d --config /tmp/machine.json box
    box() { "$runtime" exec box "$@"; }
    until_it box systemctl is-active basic.target
    is "$driver: it has the whole tree" "0::/init.scope" "$(box cat /proc/1/cgroup)"
    done_by "$driver: it makes groups" box systemd-run --quiet --scope --unit=inner -p MemoryMax=1M true
    is "$driver: they are below its own" "$group/init.scope" "$(cd /sys/fs/cgroup && find . -name init.scope -mindepth 3 | sed 's/^..//')"
    systemctl daemon-reload
    done_by "$driver: it is told to end" "$runtime" kill box RTMIN+3
    until_it sh -c "$runtime state box | grep stopped"
    done_by "$driver: delete" "$runtime" delete box
    is "$driver: nothing is left of it" "" "$(find /sys/fs/cgroup -path "*$group*")"
}

machine systemd machine.slice:box:one machine.slice/box-one.scope
machine cgroupfs /boxes/one boxes/one
echo the end

