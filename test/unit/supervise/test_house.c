/* Where settings come from, which one wins, and where each service then answers. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#include "supervise/supervise.h"

static char dir[] = "/tmp/haus-test-house-XXXXXX";
static char *playground, *home;

static const char *const variables[] = {
    "HAUS_HOME",     "HAUS_PLAYGROUND",  "HAUS_PORT_OFFSET", "HAUS_EXTERNAL", "HAUS_HOST", "POSTGRES_USER",
    "POSTGRES_HOST", "BOOTSTRAP_SERVER", "MINIO_ENDPOINT",   "POSTGRES_DB",   "A",         "SCHEMA_REGISTRY_HOST"
};
static const char *const files[] = { ".source.env", ".streaming.env", ".lake.env" };

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    playground = mem_printf("%s/playground", dir);
    home = mem_printf("%s/home", dir);
    return disk_make_dirs(playground, 0700, NULL) ? -1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    free(playground);
    free(home);
    return disk_remove_tree(dir, NULL) ? -1 : 0;
}

static int forget(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", playground, files[i]);
        unlink(path);
    }
    return disk_remove_tree(home, NULL) ? -1 : 0;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", folder, name);

    assert_int_equal(disk_replace_file(path, text, strlen(text), 0600, NULL), RC_OK);
}

static struct house_options options_of(int port_offset)
{
    return (struct house_options){ .home = home, .playground = playground, .port_offset = port_offset };
}

static struct house open_house(int port_offset)
{
    struct house_options options = options_of(port_offset);
    struct house house = { 0 };
    struct err err = { 0 };
    enum rc rc = house_open(&options, &house, &err);

    if (rc)
        print_error("%s\n", err.text);
    assert_int_equal(rc, RC_OK);
    return house;
}

static void expect_refused(const char *words)
{
    struct house_options options = options_of(-1);
    struct house house = { 0 };
    struct err err = { 0 };

    assert_int_equal(house_open(&options, &house, &err), RC_BAD_INPUT);
    assert_string_equal(err.text, words);
    assert_null(house.home);
}

static const char *address_of(const struct house *house, const char *service)
{
    return house->endpoints[service_find(service) - services].address;
}

static void the_later_place_wins(void **state)
{
    static const char *const expected[][3] = {
        { "POSTGRES_PASSWORD", "postgres", "default" },
        { "POSTGRES_USER", "from-source", ".source.env:1" },
        { "MINIO_ROOT_USER", "from-lake", ".lake.env:1" },
        { "POSTGRES_DB", "from-environment", "environment" },
        { "CHAIN", "from-source/from-streaming", ".streaming.env:2" },
    };

    (void)state;
    write_file(playground, ".source.env", "POSTGRES_USER=from-source\nMINIO_ROOT_USER=from-source\nPOSTGRES_DB=file\n");
    write_file(playground, ".streaming.env",
               "MINIO_ROOT_USER=from-streaming\nCHAIN=${POSTGRES_USER}/${MINIO_ROOT_USER}\n");
    write_file(playground, ".lake.env", "MINIO_ROOT_USER=from-lake\n");
    setenv("POSTGRES_DB", "from-environment", 1);
    CLEANUP(house_free) struct house house = open_house(-1);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const struct setting *setting = settings_find(&house.settings, expected[i][0]);
        assert_non_null(setting);
        assert_string_equal(setting->value, expected[i][1]);
        assert_string_equal(setting->origin, expected[i][2]);
    }
}

static void a_broken_file_is_named_with_its_line(void **state)
{
    (void)state;
    write_file(playground, ".streaming.env", "A=1\nB=${NOWHERE_AT_ALL}\n");
    expect_refused("cannot read '.streaming.env:2': '${NOWHERE_AT_ALL}' is not defined; set it in the environment or "
                   "in a .env file");
}

static void a_file_may_use_what_the_environment_has(void **state)
{
    (void)state;
    setenv("A", "given", 1);
    write_file(playground, ".source.env", "B=x-${A}\n");
    CLEANUP(house_free) struct house house = open_house(-1);
    assert_string_equal(settings_get(&house.settings, "B", ""), "x-given");
}

static void ports_move_by_flag_then_environment_then_what_was_remembered(void **state)
{
    CLEANUP_FREE char *run = mem_printf("%s/run", home);

    (void)state;
    CLEANUP(house_free) struct house plain = open_house(-1);
    assert_int_equal(plain.port_offset, 0);
    assert_string_equal(address_of(&plain, "log"), "127.0.0.1:9092");
    assert_string_equal(address_of(&plain, "postgres"), "127.0.0.1:4444");
    assert_int_equal(disk_make_dirs(run, 0700, NULL), RC_OK);
    write_file(run, "port-offset", "300\n");
    CLEANUP(house_free) struct house remembered = open_house(-1);
    assert_int_equal(remembered.port_offset, 300);
    setenv("HAUS_PORT_OFFSET", "200", 1);
    CLEANUP(house_free) struct house environment = open_house(-1);
    assert_int_equal(environment.port_offset, 200);
    assert_string_equal(address_of(&environment, "log"), "127.0.0.1:9292");
    CLEANUP(house_free) struct house flag = open_house(100);
    assert_int_equal(flag.port_offset, 100);
    CLEANUP(house_free) struct house zero = open_house(0);
    assert_int_equal(zero.port_offset, 0);
    setenv("HAUS_PORT_OFFSET", "60000", 1);
    expect_refused(
        "cannot use '60000' for 'HAUS_PORT_OFFSET' (environment): it must be a whole number from 0 to 50000");
}

static void a_host_moves_every_address(void **state)
{
    (void)state;
    setenv("HAUS_HOST", "0.0.0.0", 1);
    CLEANUP(house_free) struct house house = open_house(-1);
    for (size_t i = 0; i < service_count; i++)
        assert_true(str_starts(str_of(house.endpoints[i].address), "0.0.0.0:"));
}

static void external_services_answer_where_their_settings_say(void **state)
{
    (void)state;
    setenv("HAUS_EXTERNAL", "log, store,registry,postgres", 1);
    setenv("BOOTSTRAP_SERVER", "broker.example.com:9092", 1);
    setenv("MINIO_ENDPOINT", "http://s3.example.com:9000//", 1);
    setenv("SCHEMA_REGISTRY_HOST", "http://registry.example.com:8081", 1);
    setenv("POSTGRES_HOST", "db.example.com:5432", 1);
    CLEANUP(house_free) struct house house = open_house(1000);
    assert_string_equal(address_of(&house, "log"), "broker.example.com:9092");
    assert_string_equal(address_of(&house, "store"), "s3.example.com:9000");
    assert_string_equal(address_of(&house, "registry"), "registry.example.com:8081");
    assert_string_equal(address_of(&house, "postgres"), "db.example.com:5432");
    assert_string_equal(address_of(&house, "connect"), "127.0.0.1:9083");
    assert_true(house_is_external(&house, service_find("log")));
    assert_false(house_is_external(&house, service_find("connect")));
}

static void what_is_wrong_with_an_external_service_is_told(void **state)
{
    (void)state;
    setenv("HAUS_EXTERNAL", "log", 1);
    expect_refused("'log' is external (HAUS_EXTERNAL) but 'BOOTSTRAP_SERVER' does not say where; e.g. "
                   "BOOTSTRAP_SERVER=broker.example.com:9092");
    setenv("BOOTSTRAP_SERVER", "a:9092,b:70000", 1);
    expect_refused("cannot use 'a:9092,b:70000' for 'BOOTSTRAP_SERVER' (environment): 'b:70000' is not an address: its "
                   "port must be a number from 1 to 65535; e.g. BOOTSTRAP_SERVER=broker.example.com:9092");
    setenv("HAUS_EXTERNAL", "store", 1);
    setenv("MINIO_ENDPOINT", "https://s3.example.com", 1);
    expect_refused("cannot use 'https://s3.example.com' for 'MINIO_ENDPOINT' (environment): only http is spoken; e.g. "
                   "MINIO_ENDPOINT=http://s3.example.com:9000");
    setenv("HAUS_EXTERNAL", "seeder", 1);
    expect_refused("'seeder' cannot be external; HAUS_EXTERNAL takes postgres, log, registry, connect, store");
    setenv("HAUS_EXTERNAL", "kafka", 1);
    expect_refused("'kafka' cannot be external; HAUS_EXTERNAL takes postgres, log, registry, connect, store");
}

static void a_playground_is_the_one_given_then_ours_then_the_folder_we_are_in(void **state)
{
    struct house_options options = { .home = home, .port_offset = -1 };
    CLEANUP_FREE char *other = mem_printf("%s/other", dir);
    CLEANUP_FREE char *migrations = mem_printf("%s/other/migrations", dir);
    CLEANUP_FREE char *before = getcwd(NULL, 0);
    struct house house = { 0 };

    (void)state;
    assert_int_equal(disk_make_dirs(migrations, 0700, NULL), RC_OK);
    assert_int_equal(chdir(other), 0);
    assert_int_equal(house_open(&options, &house, NULL), RC_OK);
    assert_true(str_starts(str_of(house.playground), other));
    house_free(&house);
    setenv("HAUS_PLAYGROUND", playground, 1);
    assert_int_equal(house_open(&options, &house, NULL), RC_OK);
    assert_string_equal(house.playground, playground);
    house_free(&house);
    options.playground = "migrations"; /* relative: to the folder we are in */
    assert_int_equal(house_open(&options, &house, NULL), RC_OK);
    assert_string_equal(house.playground, migrations);
    house_free(&house);
    unsetenv("HAUS_PLAYGROUND");
    options.playground = NULL;
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(house_open(&options, &house, NULL), RC_OK);
    assert_string_equal(house.playground, HAUS_PLAYGROUND);
    house_free(&house);
    assert_int_equal(chdir(before), 0);
}

static void a_home_is_the_one_given_then_the_environments(void **state)
{
    struct house_options options = { .playground = playground, .port_offset = -1 };
    struct house house = { 0 };

    (void)state;
    setenv("HAUS_HOME", "/tmp/somewhere", 1);
    assert_int_equal(house_open(&options, &house, NULL), RC_OK);
    assert_string_equal(house.home, "/tmp/somewhere");
    house_free(&house);
    options.home = home;
    assert_int_equal(house_open(&options, &house, NULL), RC_OK);
    assert_string_equal(house.home, home);
    house_free(&house);
}

static void a_station_is_given_its_surroundings(void **state)
{
    struct station station = { 0 };
    char address[ADDRESS_MAX];

    (void)state;
    CLEANUP(house_free) struct house house = open_house(500);
    house_station(&house, service_find("registry"), &station);
    assert_string_equal(station.name, "registry");
    assert_int_equal(station.port, 8581);
    CLEANUP_FREE char *expected = mem_printf("%s/registry", home);
    assert_string_equal(station.dir, expected);
    assert_string_equal(station_address(&station, "log"), "127.0.0.1:9592");
    station_resolve(&station, STR("kafka:29092"), address);
    assert_string_equal(address, "127.0.0.1:9592");
    house_station_free(&station);
    assert_null(service_find("zookeeper"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_later_place_wins, forget),
        cmocka_unit_test_setup(a_broken_file_is_named_with_its_line, forget),
        cmocka_unit_test_setup(a_file_may_use_what_the_environment_has, forget),
        cmocka_unit_test_setup(ports_move_by_flag_then_environment_then_what_was_remembered, forget),
        cmocka_unit_test_setup(a_host_moves_every_address, forget),
        cmocka_unit_test_setup(external_services_answer_where_their_settings_say, forget),
        cmocka_unit_test_setup(what_is_wrong_with_an_external_service_is_told, forget),
        cmocka_unit_test_setup(a_playground_is_the_one_given_then_ours_then_the_folder_we_are_in, forget),
        cmocka_unit_test_setup(a_home_is_the_one_given_then_the_environments, forget),
        cmocka_unit_test_setup(a_station_is_given_its_surroundings, forget),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
