# An ordinary user whose containers are units of the user's own systemd, and who was given a part of v2. Given: $bundle.

mount -t tmpfs tmpfs /home
mount -t tmpfs tmpfs /var
mkdir -p /var/lib/systemd /home/bin
install -m 755 "$runtime" /home/bin/cuddy-oci
cp -a "$bundle" /home/ann
rm /home/ann/config.json
chown -R ann:ann /home/ann
systemctl start user@1000.service

# As somebody who has logged in, and as a program that the user's systemd has started.
ann() {
    setpriv --reuid=1000 --regid=1000 --init-groups env -i PATH=/home/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/ann \
        XDG_RUNTIME_DIR=/run/user/1000 SYSTEMD_PAGER=cat SYSTEMD_COLORS=0 sh -c 'cd && exec "$@"' sh "$@"
}
own() { ann systemd-run --user --quiet --scope -p Delegate=yes "$@"; }
shown() { ann systemctl --user show --value -p "$1" cuddy-web.scope; }
left() { find /sys/fs/cgroup -name 'cuddy-*.scope' -o -name 'box-*' -o -name web; }

ann cuddy-oci spec --rootless
sed -i 's/"terminal": true/"terminal": false/; s/"sh"$/"sleep", "1000"/' /home/ann/config.json
mv /home/ann/config.json /home/template
# with LIMITS [MORE]: the configuration with them.
with() { sed "s|\"linux\": {|\"linux\": { $2 \"resources\": {$1},|" /home/template >/home/ann/config.json; }

manager=/user.slice/user-1000.slice/user@1000.service
group=/sys/fs/cgroup$manager/user.slice/cuddy-web.scope
withheld='the controller io was not delegated to'
given='which has cpu, memory, pids'
disk='"blockIO": {"throttleReadBpsDevice": [{"major": 98, "minor": 0, "rate": 1048576}]}'
limited='"memory": {"limit": 67108864}, "pids": {"limit": 20}, "cpu": {"quota": 50000}'

# limits NAME MEMORY PROCESSES
limits() {
    is "$1: memory" "$2" "$(cat $group/memory.max)"
    is "$1: memory, for systemd" "$2" "$(shown MemoryMax)"
    is "$1: processes" "$3" "$(cat $group/pids.max)"
    is "$1: processes, for systemd" "$3" "$(shown TasksMax)"
}

# Over the user's bus, and over the manager's own socket.
for way in bus private; do
    if [ $way = private ]; then
        ann systemctl --user stop dbus.socket dbus.service 2>/dev/null
        rm -f /run/user/1000/bus
    fi
    with "$limited"
    done_by "$way: run" ann cuddy-oci --systemd-cgroup run -d web
    is "$way: it is there" "$manager/user.slice/cuddy-web.scope" "$(shown ControlGroup)"
    limits "$way" 67108864 20
    is "$way: time, for systemd" 500ms "$(shown CPUQuotaPerSecUSec)"
    is "$way: time" "50000 100000" "$(cat $group/cpu.max)"
    refused "$way: nobody is moved there from elsewhere" "start it with \`systemd-run --user --scope\`" \
        ann cuddy-oci exec web true
    is "$way: exec is there, too" 0::/ "$(own cuddy-oci exec web cat /proc/self/cgroup)"
    done_by "$way: update" ann cuddy-oci update --memory 33554432 --pids-limit 10 web
    limits "$way: updated" 33554432 10
    ann systemctl --user daemon-reload
    limits "$way: reloaded" 33554432 10
    refused "$way: no update of what was not delegated" "$withheld $group" ann cuddy-oci update --blkio-weight 100 web
    limits "$way: after that" 33554432 10
    refused "$way: a fork too many" "fork" \
        own cuddy-oci exec web sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done; wait'
    done_by "$way: pause" ann cuddy-oci pause web
    is "$way: paused" "frozen 1" "$(grep frozen $group/cgroup.events)"
    done_by "$way: resume" ann cuddy-oci resume web
    done_by "$way: kill" ann cuddy-oci kill web KILL
    until_it sh -c "! grep -q 'populated 1' $group/cgroup.events"
    done_by "$way: delete" ann cuddy-oci delete web
    is "$way: nothing is left" "" "$(left)"
    is "$way: nor a unit" "" "$(ann systemctl --user list-units --all --plain --no-legend 'cuddy-*')"
done

with "$disk"
refused "a limit that was not delegated" "/linux/resources/blockIO/throttleReadBpsDevice/0: $withheld \
/sys/fs/cgroup$manager, $given" ann cuddy-oci --systemd-cgroup run -d web
with '"unified": {"io.max": "98:0 rbps=1"}'
refused "nor a file of it" "$withheld /sys/fs/cgroup$manager, $given" ann cuddy-oci --systemd-cgroup run -d web
with "" '"cgroupsPath": "app.slice:box:one",'
done_by "another slice" ann cuddy-oci --systemd-cgroup run -d web
is "it is there" $manager/app.slice/box-one.scope \
    "$(ann systemctl --user show --value -p ControlGroup box-one.scope)"
done_by "delete by force" ann cuddy-oci delete --force web

# Without systemd, in a part that it has delegated: the runtime is in one group of it, and the container in another.
cat >/home/inside <<'END'
here=/sys/fs/cgroup$(sed s/0:://p /proc/self/cgroup | head -n 1)
mkdir "$here/runtime" && echo $$ >"$here/runtime/cgroup.procs"
"$@"
cat "$here/web/memory.max" "$here/web/pids.max" 2>/dev/null
cuddy-oci update --memory 33554432 web && cat "$here/web/memory.max"
cuddy-oci update --blkio-weight 100 web || true
cuddy-oci delete --force web
END
delegated() { own sh /home/inside cuddy-oci run -d web >/tmp/said 2>&1 || true; tr '\n' ' ' </tmp/said; }
with "$limited" '"cgroupsPath": "web",'
said=$(delegated)
case $said in
"67108864 20 33554432 "*"$withheld /sys/fs/cgroup"*"/web, $given"*) echo "ok limits in a part of v2" ;;
*) echo "not ok limits in a part of v2: $said" ;;
esac
with "$disk" '"cgroupsPath": "web",'
said=$(delegated)
case $said in
*"throttleReadBpsDevice/0: $withheld /sys/fs/cgroup$manager/app.slice/"*", $given"*) echo "ok what that lacks" ;;
*) echo "not ok what that lacks: $said" ;;
esac
is "nothing is left at the end" "" "$(left)"
echo the end
