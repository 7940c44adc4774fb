# podman on a Debian that systemd runs, with the files of the machine as its root: RUNTIME and IMAGE are of these.
if [ -z "$inside" ]; then inside=1 exec unshare --mount --propagation private sh "$0"; fi
for dir in proc sys dev run; do
    mount --rbind "/$dir" "/mnt/$dir"
done
cd /mnt && pivot_root . mnt && cd / && umount -l /mnt || exit
# systemctl takes another root than that of process 1 for a chroot.
export HOME=/run TERM=dumb SYSTEMD_COLORS=0 SYSTEMD_IGNORE_CHROOT=1 PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs tmpfs /usr/local/sbin
cp "$RUNTIME" /usr/local/sbin/cuddy-oci
for other in $(command -v runc crun); do
    mount --bind /bin/false "$other"
done
mkdir /usr/local/sbin/etc
cp "$IMAGE" /usr/local/sbin/image.tar
cp -a /etc/. /usr/local/sbin/etc
rm -rf /usr/local/sbin/etc/cni
mount --bind /usr/local/sbin/etc /etc
for dir in /tmp /var; do
    mount -t tmpfs tmpfs "$dir"
done
mkdir -p /var/lib /var/tmp /var/cache /var/log
ln -s /run /var/run
echo "$CONTAINERS" >/etc/containers/containers.conf
echo "$STORAGE" >/etc/containers/storage.conf

podman() { command podman --cgroup-manager systemd "$@"; }
limit() { systemctl show --value -p MemoryMax "libpod-$id.scope"; }
podman load --quiet --input /usr/local/sbin/image.tar
podman run --rm --network host "$image" sh -c 'echo ran; exit 7' || echo code $?
podman run --detach --network host --name web --memory 64m --stop-timeout 0 "$image" sleep 1000 >/dev/null
id=$(podman inspect --format '{{.Id}}' web)
systemctl show --value -p Slice "libpod-$id.scope"
limit
podman exec web cat /sys/fs/cgroup/memory.max /proc/self/cgroup
podman pause web
podman unpause web
podman update --memory 32m web >/dev/null
limit
systemctl daemon-reload
podman exec web cat /sys/fs/cgroup/memory.max
podman rm --force web
systemctl is-active "libpod-$id.scope"
echo the end
