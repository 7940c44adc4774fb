#!/bin/sh
# Process 1 of a stage: namespaces of its own, in which engines find an empty machine (see stage.rs).
# usage: stage.sh GROUP RUNTIME PHASE
set -eu
group=$1 runtime=$2 phase=${3:-outside}

# Type, mount point and controllers of each cgroup hierarchy, as of the machine.
hierarchies() {
    awk '$3 ~ /^cgroup2?$/ && $2 ~ "^/sys/fs/cgroup" { print $3, $2, $4 }' /proc/self/mounts
}

if [ "$phase" = outside ]; then
    # In its groups before the cgroup namespace is made, which begins where its maker is.
    hierarchies | while read -r _ point _; do
        echo $$ >"$point/$group/cgroup.procs"
    done
    exec unshare --cgroup sh "$0" "$group" "$runtime" inside
fi

# Engines mount the root of containers where all see them.
mount --make-rshared /
mount -t sysfs sysfs /sys

# The machine's own layout again, seen from the group.
list=$(hierarchies)
case $list in
"cgroup2 /sys/fs/cgroup "*) ;;
*) mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup ;;
esac
while read -r type point options; do
    mkdir -p "$point"
    if [ "$type" = cgroup2 ]; then
        mount -t cgroup2 cgroup2 "$point"
        # A group with processes in it hands no controllers on.
        mkdir -p "$point/stage"
        echo $$ >"$point/stage/cgroup.procs"
        for controller in $(cat "$point/cgroup.controllers"); do
            echo "+$controller" >"$point/cgroup.subtree_control"
        done
    else
        options=$(echo "$options" | tr ',' '\n' | grep -vE '^(rw|relatime|nosuid|nodev|noexec|xattr|release_agent=.*)$' | paste -sd, -)
        case $options in name=*) options=none,$options ;; esac
        mount -t cgroup -o "$options" cgroup "$point"
    fi
done <<END
$list
END

# What engines write, and what they read about other containers of the machine, is in memory and ends with the stage.
mount -t tmpfs -o mode=755 tmpfs /usr/local/sbin
cp "$runtime" /usr/local/sbin/cuddy-oci
# criu as the test finds it, without what the machine sets for it.
criu=$(command -v criu) && cp "$criu" /usr/local/sbin/criu
# No other runtime can be what an engine takes. dockerd wants a runc to be there.
for other in $(command -v runc crun); do
    mount --bind /bin/false "$other"
done
for dir in /run /dev/shm /var/lib; do
    mount -t tmpfs -o mode=755 tmpfs "$dir"
done
chmod 1777 /dev/shm
mkdir -p /run/lock /run/etc /run/work /var/lib/containers /var/lib/containerd /var/lib/docker
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
rm -rf /etc/criu /etc/cni/net.d /etc/docker /etc/containerd /etc/containers/containers.conf /etc/containers/storage.conf

ip link set lo up
: >/run/ready
# Waits for whatever becomes an orphan, too.
sleep infinity &
wait
