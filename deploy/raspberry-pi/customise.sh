#!/bin/sh
# Runs inside the root of the image while it is built, once the gateway is installed and the files of root/ are there: what runs
# at a start, what must not be in an image that many cards are made of, and the initrd.
set -eu
image_time=$1

systemctl --quiet enable systemd-networkd.service headwater-data.service headwater-prepare.service headwater-announce.path
# Wi-Fi begins when there is a card for it and a network to join.
wants='/etc/systemd/system/sys-subsystem-net-devices-wlan0.device.wants'
mkdir -p "$wants"
ln -sf '/usr/lib/systemd/system/wpa_supplicant@.service' "$wants/wpa_supplicant@wlan0.service"
# Nothing comes by apt, the root is checked by nobody since nobody writes it, and keys are made by ssh-host-key.
systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  sshd-keygen.service wpa_supplicant.service systemd-networkd-wait-online.service systemd-firstboot.service

# Nobody logs in by password, not even with an empty one, and no two devices share a key or an identity.
usermod --password '*' root
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
: >/etc/machine-id
echo headwater >/etc/hostname

# No clock of this image can be right and earlier. systemd sets one that is to the date of the file, by itself.
printf '%s\n' "$image_time" >/usr/share/headwater-appliance/image-time
touch --date="$image_time" /usr/lib/clock-epoch

mkdir -p /data /boot/firmware /etc/headwater /var/lib/headwater /var/cache/headwater
ln -sf /data/config/current/headwater.yaml /etc/headwater/headwater.yaml

# The screen shows why the version of the image runs when another one was wanted: see the command application.
mkdir -p /etc/issue.d
ln -sf /run/headwater-app/why-factory /etc/issue.d/headwater-application.issue

# The firmware's own hooks write a boot partition that is mounted; this one is made from files.
kernel=$(basename /usr/lib/modules/*)
update-initramfs -c -k "$kernel"

apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /tmp/*

# What systemd makes anew after an update, as the cache of the linker, is made: no start of a root that never changes repeats it.
/usr/lib/systemd/systemd-update-done
