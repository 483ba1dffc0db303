"""A radosgw of Debian for tests: Ceph's gateway of S3 before a monitor and a store in memory, all in one temporary folder and on free ports of this machine.

    with RadosGateway() as service:         # a bucket, and its user; the environment's AWS variables are his

When root starts its processes, they run as nobody. `stop` ends them and removes the folder.
"""
import os, pwd, secrets, shutil, subprocess, sys, tempfile, time, urllib.error, urllib.request, uuid
from s3_service import BUCKET, Endpoint, free_port

PATIENCE = 120                                                         # seconds until a process that does not come up counts as failed
STORE = 4 << 30                                                        # bytes of the store in memory, at the most
TOOLS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

CONFIGURATION = """\
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = {monitor}
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
auth_allow_insecure_global_id_reclaim = true
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_crush_update_on_start = false
osd_class_update_on_start = false
osd_objectstore = memstore
memstore_device_bytes = {store}
run_dir = {folder}
admin_socket = {folder}/$name.$pid.asok
log_file = {folder}/$name.log
mon_data = {folder}/mon
osd_data = {folder}/osd
[client.rgw]
rgw_data = {folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
debug_rgw = 1
"""


class RadosGateway(Endpoint):
    """a gateway with its cluster; everything it holds goes with it"""

    def __init__(self):
        if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
            sys.exit(f"{', '.join(missing)} of Debian's packages ceph-mon, ceph-osd and radosgw are not here: Scripts/bootstrap --radosgw")
        super().__init__(tempfile.mkdtemp(prefix="auditlake-radosgw-"), free_port())
        self.log = os.path.join(self.folder, "client.rgw.log")
        self.owner = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        self.processes, self.marks, self.key, self.secret = [], 0, "tester", secrets.token_hex(16)
        try:
            self._start()
            self.client().create_bucket(Bucket=BUCKET)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def requests(self, path=f"/{BUCKET}"):
        """as of moto; the gateway writes its log a little later than it answers"""
        self.marks += 1
        mark = f"/mark-{self.marks}"
        try:
            urllib.request.urlopen(self.endpoint + mark).close()
        except urllib.error.HTTPError:                                 # nobody may ask for it
            pass
        end, found = time.monotonic() + PATIENCE, []
        while time.monotonic() < end and not any(r[1] == mark for r in found):
            found += super().requests("/")
        return [r for r in found if r[1].startswith(path)]

    def _start(self):
        monitor, fsid = f"v1:127.0.0.1:{free_port()}", str(uuid.uuid4())
        for name in "", "mon", "osd", "rgw":
            place = os.path.join(self.folder, name)
            os.makedirs(place, exist_ok=True)
            if self.owner:
                shutil.chown(place, "nobody", self.owner["group"])
        self.configuration, map_ = os.path.join(self.folder, "ceph.conf"), os.path.join(self.folder, "monmap")
        with open(self.configuration, "w") as f:
            f.write(CONFIGURATION.format(fsid=fsid, monitor=monitor, store=STORE, folder=self.folder, port=self.port))
        self._call("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[{monitor}]", map_, configured=False)
        self._call("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_)
        self._spawn("ceph-mon", "-i", "a")
        disk = str(uuid.uuid4())
        number = self._call("ceph", "osd", "new", disk).strip()
        self._call("ceph-osd", "-i", number, "--mkfs", "--osd-uuid", disk)
        self._call("ceph", "osd", "crush", "add", f"osd.{number}", "1.0", "host=h", "root=default")
        self._spawn("ceph-osd", "-i", number)
        self._spawn("radosgw", "-n", "client.rgw")
        self._wait()
        self._call("radosgw-admin", "-n", "client.rgw", "user", "create", "--uid", "tester", "--display-name", "tester", "--access-key", self.key, "--secret", self.secret)

    def _call(self, *command, configured=True):
        """runs a tool to its end; what it printed"""
        arguments = [command[0], *(["-c", self.configuration] if configured else []), *command[1:]]
        done = subprocess.run(arguments, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, **self.owner)
        if done.returncode != 0:
            sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
        return done.stdout

    def _spawn(self, *command):
        with open(os.path.join(self.folder, f"{command[0]}.out"), "ab") as said:
            self.processes.append(subprocess.Popen([command[0], "-c", self.configuration, *command[1:], "-f"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                                   **self.owner))

    def _wait(self):
        """until the gateway answers"""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if ended := [p.args[0] for p in self.processes if p.poll() is not None]:
                sys.exit(f"{ended[0]} ended at once: {self._said(ended[0])}")
            try:
                urllib.request.urlopen(self.endpoint, timeout=5).close()
                return
            except OSError:
                time.sleep(0.2)
        sys.exit(f"radosgw does not answer: {self._said('radosgw')}")

    def _said(self, program):
        with open(os.path.join(self.folder, f"{program}.out"), errors="replace") as f:
            return f.read()[-1000:]
