# Everything a person needs: make demo, make test.
.PHONY: demo live test build bootstrap kill-test integration s3-fault-test s3-kill-test databricks-test databricks-kill-test customer-kill-test warehouse-kill-test redshift-test rotation-test outcomes-test secrets-test soak bench bench-databricks bench-customers bench-objects bench-live lint clean

build: bootstrap
	swift build -c release --product auditlake

bootstrap:
	@Scripts/bootstrap

# Sets up, builds, ingests the shipped logs into ./lake and shows what they tell.
demo: build
	@Examples/demo

# Starts a real PostgreSQL primary and replica in a temporary folder, follows their logs for half a minute and shows rows arriving.
live: build
	@Scripts/bootstrap --tests
	@Examples/live

# Sets up and runs every test: debug build for unit tests, release build for integration and kill tests.
test: bootstrap
	@Scripts/test

KILLS ?= 200
kill-test: build
	@Scripts/python IntegrationTests/kill_test.py --kills $(KILLS)

# A lake in a bucket of a real radosgw: a thousand commits, checkpoints, two writers at once, read back over S3.
integration: build
	@Scripts/bootstrap --radosgw
	@Scripts/python IntegrationTests/radosgw_test.py

# Every request of a small run to a bucket spoilt by a proxy, and a network that ends for good.
s3-fault-test: build
	@Scripts/python IntegrationTests/s3_fault_test.py --all

# Kills over every phase with the lake in a bucket.
s3-kill-test: build
	@Scripts/python IntegrationTests/kill_test.py --s3 --kills $(KILLS)
	@Scripts/python IntegrationTests/databricks_kill_test.py --s3 --kills $(KILLS)

# The same for Databricks events: every table of the three layers.
databricks-kill-test: build
	@Scripts/python IntegrationTests/databricks_kill_test.py --kills $(KILLS)

# Loads into PostgreSQL while auditlake, its backend or the server die.
warehouse-kill-test: build
	@Scripts/python IntegrationTests/warehouse_kill_test.py --kills $(KILLS)

# What Redshift is told and gets, by a stand-in.
redshift-test: build
	@Scripts/python IntegrationTests/redshift_test.py

# Every column of bronze, silver and gold against an independent reading of the events, in five readers.
databricks-test: build
	@Scripts/python IntegrationTests/databricks_selftest.py
	@Scripts/python IntegrationTests/databricks_test.py

# The same for CSV files of customers, which overlap, grow and come again.
customer-kill-test: build
	@Scripts/python IntegrationTests/customer_kill_test.py --kills $(KILLS)

SECONDS ?= 30
RATE ?= 5000
# Every scheme of rotation alone and all mixed, while the reader is killed.
rotation-test: build
	@Scripts/python IntegrationTests/rotation_test.py --seconds $(SECONDS) --rate $(RATE)

# What became of each statement: the journal of a real workload, the rules in Python and auditlake's view agree.
outcomes-test: build
	@Scripts/bootstrap --tests
	@Scripts/python IntegrationTests/outcomes_test.py

# A hundred secrets through a real server, and none in the lake.
secrets-test: build
	@Scripts/bootstrap --tests
	@Scripts/python IntegrationTests/secrets_test.py

MINUTES ?= 30
# run --follow for half an hour, under rotation and kills.
soak: build
	@Scripts/python IntegrationTests/soak.py --minutes $(MINUTES)

# Latency of run --follow at 2,000 records a second.
bench-live: build
	@Scripts/python bench/live_latency.py

# J2 against the peers, in one run; needs a few GB of disk.
bench: build
	@Scripts/python bench/run_j2.py

# J1 against the peers, with numbers quoted and unquoted.
bench-databricks: build
	@Scripts/python bench/run_j1.py
	@Scripts/python bench/run_j1.py --mixed --runs 1

# J3 against the peers.
bench-customers: build
	@Scripts/python bench/run_j3.py

# 100,000 objects in a bucket: the first discovery, a run that finds nothing and an idle poll, in seconds and requests.
bench-objects: build
	@Scripts/python bench/many_objects.py

lint:
	@Scripts/lint

clean:
	rm -rf .build lake
