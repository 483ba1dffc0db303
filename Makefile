# Everything a person needs: make demo, make test.
.PHONY: demo test build bootstrap unit integration kill-test bench lint clean

build: bootstrap
	swift build -c release --product auditlake

bootstrap:
	@Scripts/bootstrap

# Sets up, builds, ingests the shipped logs into ./lake and shows what they tell.
demo: build
	@Examples/demo

# Sets up and runs every test: debug build for unit tests, release build for integration and kill tests.
test: bootstrap
	@Scripts/test

KILLS ?= 200
kill-test: build
	@Scripts/python IntegrationTests/kill_test.py --kills $(KILLS)

# J2 against the peers, in one run; needs a few GB of disk.
bench: build
	@Scripts/python bench/run_j2.py

lint:
	@Scripts/lint

clean:
	rm -rf .build lake
