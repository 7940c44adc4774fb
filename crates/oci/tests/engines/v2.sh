# Sets an empty machine for engines in a kernel with cgroup v2 alone. RUNTIME and IMAGE name files of the real one.
export HOME=/run
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /usr/local/sbin
cp "$RUNTIME" /usr/local/sbin/cuddy-oci
for other in $(command -v runc crun); do
    mount --bind /bin/false "$other"
done
mkdir /usr/local/sbin/etc
cp "$IMAGE" /usr/local/sbin/image.tar
cp -a /etc/. /usr/local/sbin/etc
rm -rf /usr/local/sbin/etc/cni /usr/local/sbin/etc/docker
mount --bind /usr/local/sbin/etc /etc
for dir in /run /tmp /dev/shm /var; do
    mount -t tmpfs tmpfs "$dir"
done
mkdir -p /var/lib /var/tmp /var/cache /var/log /etc/docker
ln -s /run /var/run
ip link set lo up

# A group with processes in it hands no controllers on.
mkdir /sys/fs/cgroup/engine
echo $$ >/sys/fs/cgroup/engine/cgroup.procs
echo 0 >/sys/fs/cgroup/engine/cgroup.procs
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done
