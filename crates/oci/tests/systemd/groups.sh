# Groups that systemd makes, and what it says of them. Given: $bundle, $layout, which is v2 or hybrid, and $key, the
# hierarchy that processes are looked for in.

cp -a "$bundle" /tmp/bundle
cd /tmp/bundle || exit
case $layout in
v2) memory=/sys/fs/cgroup cpu=$memory pids=$memory io=$memory devices=$memory ;;
*)
    memory=/sys/fs/cgroup/memory cpu=/sys/fs/cgroup/cpu pids=/sys/fs/cgroup/pids io=/sys/fs/cgroup/blkio
    devices=/sys/fs/cgroup/devices
    ;;
esac

# with REGEX TEXT: the configuration with another text there.
with() { sed "s|$1|$2|" config.template >config.json; }
cp config.json config.template

echo "systemd $(systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p'), $layout"
scope=system.slice/cuddy-web.scope

# The limits of a container, as systemd has them and as the kernel has them.
limits() {
    systemctl show cuddy-web.scope >/tmp/unit
    for row in $1; do
        name=${row%%=*}
        is "$2: $name" "$row" "$(grep "^$name=" /tmp/unit)"
    done
    for row in $3; do
        file=${row%%=*} value=$(echo "${row#*=}" | tr _ ' ')
        is "$2: ${file##*/}" "$value" "$(file "$file")"
    done
}

if [ "$layout" = v2 ]; then
    asked="MemoryMax=67108864 MemoryLow=33554432 TasksMax=77 CPUWeight=20 CPUQuotaPerSecUSec=510ms DevicePolicy=strict"
    files="$memory/$scope/memory.max=67108864 $memory/$scope/memory.low=33554432 $pids/$scope/pids.max=77
        $cpu/$scope/cpu.weight=20 $cpu/$scope/cpu.max=51000_100000 $io/$scope/io.max=98:0_rbps=1048576_wbps=max_riops=max_wiops=max"
    changed="MemoryMax=33554432 TasksMax=50 CPUWeight=39 CPUQuotaPerSecUSec=200ms MemoryLow=33554432"
    changed_files="$memory/$scope/memory.max=33554432 $pids/$scope/pids.max=50 $cpu/$scope/cpu.weight=39
        $cpu/$scope/cpu.max=20000_100000 $memory/$scope/memory.low=33554432"
else
    asked="MemoryLimit=67108864 TasksMax=77 CPUShares=512 CPUQuotaPerSecUSec=510ms DevicePolicy=strict"
    files="$memory/$scope/memory.limit_in_bytes=67108864 $memory/$scope/memory.soft_limit_in_bytes=33554432
        $pids/$scope/pids.max=77 $cpu/$scope/cpu.shares=512 $cpu/$scope/cpu.cfs_quota_us=51000
        $io/$scope/blkio.throttle.read_bps_device=98:0_1048576"
    changed="MemoryLimit=33554432 TasksMax=50 CPUShares=1024 CPUQuotaPerSecUSec=200ms"
    changed_files="$memory/$scope/memory.limit_in_bytes=33554432 $pids/$scope/pids.max=50 $cpu/$scope/cpu.shares=1024
        $cpu/$scope/cpu.cfs_quota_us=20000"
fi

# Over the bus alone, then over the manager's own socket alone.
for way in bus private; do
    if [ $way = bus ]; then
        mv /run/systemd/private /run/systemd/private.hidden
    else
        systemctl stop dbus.socket dbus.service 2>/dev/null
    fi
    done_by "$way: run" cuddy run -d web
    if [ $way = bus ]; then mv /run/systemd/private.hidden /run/systemd/private; fi
    is "$way: state" running "$($runtime state web | sed -n 's/.*"status": "\(.*\)".*/\1/p')"
    limits "$asked Slice=system.slice ControlGroup=/$scope Delegate=yes TimeoutStopUSec=7s" "$way" "$files"
    if [ $way = bus ]; then done_by "$way: delete" $runtime delete --force web; fi
done
systemctl start dbus.socket

# What systemd writes again is what is there.
systemctl daemon-reload
limits "$asked" "reloaded" "$files"
done_by "update" $runtime update --memory 33554432 --pids-limit 50 --cpu-share 1024 --cpu-quota 20000 web
limits "$changed" "updated" "$changed_files"
systemctl daemon-reload
limits "$changed" "updated and reloaded" "$changed_files"

# Updates that are refused half-way leave nothing behind, neither in files nor with systemd.
everything() {
    systemctl show cuddy-web.scope | grep -E '^(Memory|CPU|IO|BlockIO|Tasks|Device)' |
        grep -vE '^[A-Za-z]*(Current|Available|Usage|NSec|Bytes|Operations)='
    for directory in "$memory" "$cpu" "$pids" "$io" "$devices"; do
        grep -H '' "$directory/$scope"/*.max "$directory/$scope"/*.high "$directory/$scope"/*.low \
            "$directory/$scope"/cpu.weight "$directory/$scope"/cpu.idle "$directory/$scope"/cpu.shares \
            "$directory/$scope"/cpu.cfs_* "$directory/$scope"/*limit_in_bytes "$directory/$scope"/*_device \
            "$directory/$scope"/devices.list
    done 2>/dev/null
}
# unchanged NAME WORDS RESOURCES
unchanged() {
    everything >/tmp/before
    echo "$3" >/tmp/resources
    refused "$1" "$2" $runtime update --resources /tmp/resources web
    everything >/tmp/after
    is "$1: nothing has changed" "" "$(diff /tmp/before /tmp/after)"
}
others='"cpu": {"shares": 300, "idle": 0, "quota": 70000, "period": 50000}, "memory": {"limit": 50331648, "reservation": 4096}'
no_disk='"blockIO": {"throttleWriteBpsDevice": [{"major": 98, "minor": 0, "rate": 5}, {"major": 4000, "minor": 0, "rate": 5}]}'
unchanged "a disk that is none" "no such disk" "{$others, $no_disk}"
unchanged "a limit below what is in use" "checkBeforeUpdate" \
    '{"cpu": {"shares": 300}, "memory": {"limit": 4096, "checkBeforeUpdate": true}}'
unchanged "a processor that is none" "cpu" "{\"pids\": {\"limit\": 9}, \"cpu\": {\"shares\": 5, \"cpus\": \"900\"}}"
if [ "$layout" = v2 ]; then
    unchanged "what systemd refuses" "TasksMax" "{$others, \"unified\": {\"pids.max\": \"0\"}}"
    unchanged "a file of v2 that is none" "memory.none" "{$others, \"unified\": {\"memory.none\": \"0\"}}"
else
    systemctl set-property --runtime system.slice CPUQuota=90%
    unchanged "more than the slice has" "group above's quota" '{"cpu": {"shares": 300, "quota": 95000}}'
    systemctl set-property --runtime system.slice CPUQuota=
    unchanged "a hole in a device rule" "wider" "{$others, \"devices\": [
        {\"allow\": true, \"type\": \"c\", \"access\": \"m\"},
        {\"allow\": false, \"type\": \"c\", \"major\": 9, \"minor\": 3, \"access\": \"m\"}]}"
fi
systemctl daemon-reload
limits "$changed" "after refused updates" "$changed_files"

# Devices, also after systemd has written its list again.
inside() { $runtime exec web "$@"; }
done_by "null can be used" inside sh -c 'echo x >/dev/null'
done_by "a disk can be made" inside mknod /tmp/disk b 98 0
refused "a disk cannot be used" "ermitted" inside dd if=/tmp/disk of=/dev/null count=1

echo '{"devices": [{"allow": true, "type": "b", "major": 98, "minor": 0, "access": "r"}]}' >/tmp/rules
done_by "new device rules" $runtime update --resources /tmp/rules web
systemctl show -p DeviceAllow cuddy-web.scope >/tmp/unit
is "systemd has them" "DeviceAllow=/dev/block/98:0 r" "$(grep block/ /tmp/unit)"
done_by "the disk can be used" inside dd if=/tmp/disk of=/dev/null count=1
systemctl daemon-reload
done_by "the disk can be used after that" inside dd if=/tmp/disk of=/dev/null count=1
refused "it cannot be written" "ermitted" inside dd if=/dev/zero of=/tmp/disk count=1

# All but some: systemd cannot say it. On v2 the program decides, on v1 systemd may take away more, and never gives more.
echo '{"devices": [{"allow": true, "access": "rwm"},
    {"allow": false, "type": "b", "major": 98, "minor": 0, "access": "rwm"}]}' >/tmp/rules
done_by "all devices but one" $runtime update --resources /tmp/rules web
inside mknod /tmp/log c 1 11
for when in now reloaded; do
    refused "the one cannot be used, $when" "ermitted" inside dd if=/tmp/disk of=/dev/null count=1
    if [ "$layout" = v2 ] || [ $when = now ]; then
        done_by "another can, $when" inside dd if=/tmp/log of=/dev/null count=0
    fi
    systemctl daemon-reload
done
echo '{"devices": [{"allow": false, "access": "rwm"}]}' >/tmp/rules
done_by "the old device rules" $runtime update --resources /tmp/rules web
systemctl daemon-reload
refused "a disk cannot be used again" "ermitted" inside dd if=/tmp/disk of=/dev/null count=1
done_by "null can still be used" inside sh -c 'echo x >/dev/null'

# Other commands.
is "exec joins the group" "$scope" "$(inside cat /proc/self/cgroup | sed -n "s|^[0-9]*:$key:/||p")"
done_by "pause" $runtime pause web
is "paused" paused "$($runtime state web | sed -n 's/.*"status": "\(.*\)".*/\1/p')"
done_by "update of a paused one" $runtime update --pids-limit 51 web
is "it is updated" 51 "$(property cuddy-web.scope TasksMax)"
done_by "resume" $runtime resume web
done_by "events" $runtime events --stats web
done_by "ps" $runtime ps --format json web
refused "a second one of that unit" "has processes of another container" cuddy run -d --bundle /tmp/bundle web2
is "the first one lives" running "$($runtime state web | sed -n 's/.*"status": "\(.*\)".*/\1/p')"
done_by "kill" $runtime kill web KILL
until_it sh -c "! $runtime exec web true"
done_by "delete" $runtime delete web
is "the unit is gone" inactive "$(systemctl is-active cuddy-web.scope)"
left() { find /sys/fs/cgroup -name 'cuddy-*.scope' -o -name 'libpod-*'; }
is "no group is left" "" "$(left)"

# Names.
with '"cgroupsPath": "[^"]*"' '"cgroupsPath": "a-b.slice:libpod:12"'
done_by "a slice in a slice" cuddy run -d web
is "it is there" /a.slice/a-b.slice/libpod-12.scope "$(property libpod-12.scope ControlGroup)"
done_by "stopped by systemd" systemctl stop libpod-12.scope
until_it sh -c "$runtime state web | grep stopped"
done_by "deleted after that" $runtime delete web
# A container that is a slice.
with '"cgroupsPath": "[^"]*"' '"cgroupsPath": "system.slice:x:a-c.slice"'
# The annotation is about scopes.
sed -i '/org.systemd.property/d' config.json
slice=a.slice/a-c.slice
done_by "a container in a slice of its own" cuddy run -d web
is "the slice is there" "/$slice" "$(property a-c.slice ControlGroup)"
is "init is in it" "/$slice" "$(sed -n "s|^[0-9]*:$key:||p" /proc/$($runtime state web | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')/cgroup)"
limit=memory.limit_in_bytes
if [ "$layout" = v2 ]; then limit=memory.max; fi
is "its limit" 67108864 "$(cat $memory/$slice/$limit)"
done_by "update of a slice" $runtime update --memory 33554432 web
systemctl daemon-reload
is "its new limit" 33554432 "$(cat $memory/$slice/$limit)"
is "exec joins the slice" "$slice" "$(inside cat /proc/self/cgroup | sed -n "s|^[0-9]*:$key:/||p")"
done_by "delete with the slice" $runtime delete --force web
is "the slice is gone" inactive "$(systemctl is-active a-c.slice)"
is "and its groups" "" "$(find /sys/fs/cgroup -name a-c.slice)"
with '"cgroupsPath": "[^"]*"' '"cgroupsPath": "/a/b"'
refused "a path of another form" '/linux/cgroupsPath: "/a/b" is not of the form SLICE:PREFIX:NAME' cuddy run -d web

# Units of that name that are there already.
with '"cgroupsPath": "[^"]*"' '"cgroupsPath": "system.slice:cuddy:old"'
systemd-run --quiet --scope --slice=other.slice --unit=cuddy-old.scope -p RuntimeMaxSec=1 sleep 100 >/dev/null 2>&1
until_it systemctl is-failed cuddy-old.scope
done_by "a failed unit is in nobody's way" cuddy run -d web
done_by "delete after that" $runtime delete --force web
systemd-run --quiet --slice=other.slice --scope --unit=cuddy-old.scope sleep 1000 >/dev/null 2>&1 &
until_it systemctl is-active cuddy-old.scope
refused "a unit that runs is in the way" "unit cuddy-old.scope" cuddy run -d web
is "and goes on running" active "$(systemctl is-active cuddy-old.scope)"
systemctl stop cuddy-old.scope

is "no group is left at the end" "" "$(left)"
is "no unit is left at the end" "" "$(systemctl list-units --all --plain --no-legend 'cuddy-*.scope' 'libpod-*')"
