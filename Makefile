# The front door. `make` builds, `make up` runs the main job, `make test` runs all tests.
BUILD ?= build
ASAN ?= build-asan
FAULT ?= build-fault
HAUS = $(BUILD)/haus
PYTEST = tool/venv/bin/pytest -q -rs -W ignore -n 3 --dist loadfile

.PHONY: all up down test unit e2e asan fault bench deps test-deps fmt lint clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) haus

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD) >/dev/null

# Debian packages, then the pinned packages that Debian does not have
deps:
	@tool/packages build
	@tool/deps

up: all
	@$(HAUS) flow

down: all
	@$(HAUS) down

# ------------------------------------------------------------------- tests
test-deps: deps
	@tool/packages test
	@tool/test-deps

test: all test-deps unit asan fault e2e

unit: all
	ninja -C $(BUILD)
	meson test -C $(BUILD) --print-errorlogs

# the same suite, and the strangers' clients that are not slow, with AddressSanitizer and UBSan
asan:
	[ -f $(ASAN)/build.ninja ] || meson setup $(ASAN) -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
	ninja -C $(ASAN)
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1 meson test -C $(ASAN) --print-errorlogs
	HAUS_BIN=$(CURDIR)/$(ASAN)/haus ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 \
	    $(PYTEST) -m "not slow" test/e2e --ignore=test/e2e/test_log_fault.py

# with the fault points compiled in
fault:
	[ -f $(FAULT)/build.ninja ] || meson setup $(FAULT) -Dfault=true >/dev/null
	ninja -C $(FAULT)
	HAUS_BIN=$(CURDIR)/$(FAULT)/haus HAUS_FAULT_BIN=$(CURDIR)/$(FAULT)/haus \
	    $(PYTEST) test/fault test/e2e/test_log_fault.py

# also writes doc/compatibility.md: what each unmodified client did
e2e: all
	@rm -f $(BUILD)/compatibility.jsonl
	HAUS_BIN=$(CURDIR)/$(HAUS) HAUS_SPARK_JARS=$(CURDIR)/deps/java/spark HAUS_COMPATIBILITY=$(CURDIR)/$(BUILD)/compatibility.jsonl \
	    $(PYTEST) test/e2e --ignore=test/e2e/test_log_fault.py
	tool/venv/bin/python test/e2e/clients/table.py $(BUILD)/compatibility.jsonl >doc/compatibility.md

# ------------------------------------------------------------------ others
bench: all test-deps
	HAUS_BIN=$(CURDIR)/$(HAUS) tool/venv/bin/python bench/run.py $(if $(PEERS),--peers) $(BENCH)

fmt:
	git ls-files 'src/*.[ch]' 'test/*.[ch]' | xargs clang-format-14 -i
	tool/venv/bin/ruff format test bench

lint:
	git ls-files 'src/*.[ch]' 'test/*.[ch]' | xargs clang-format-14 --dry-run --Werror
	tool/venv/bin/ruff check test bench
	tool/venv/bin/ruff format --check test bench

clean:
	rm -rf $(BUILD) $(ASAN) $(FAULT)
