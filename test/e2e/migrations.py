"""A folder of migrations that a test writes itself, `haus migrate` on it, and the schema that comes of it."""

import psycopg

HISTORY = (
    "SELECT installed_rank, version, description, type, script, checksum, success FROM flyway_schema_history ORDER BY 1"
)


class Scripts:
    """A playground whose migrations a test writes itself; the schema is empty at the beginning of each test."""

    def __init__(self, play, folder):
        self.play, self.folder = play, folder

    def clean(self):
        for file in self.folder.iterdir():
            file.unlink()
        with self.connect() as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            connection.execute("DROP SCHEMA IF EXISTS elsewhere CASCADE; DROP PUBLICATION IF EXISTS storefront_pub")
            connection.execute("DROP ROLE IF EXISTS debezium_user")

    def write(self, **scripts):
        for name, text in scripts.items():
            (self.folder / f"{name}.sql").write_text(text)

    def remove(self, name):
        (self.folder / f"{name}.sql").unlink()

    def migrate(self, *more):
        return self.play.run("migrate", *more)

    def applied(self):
        done = self.migrate()
        assert done.returncode == 0, done.stderr
        return done.stderr

    def refused(self, *more):
        done = self.migrate(*more)
        assert done.returncode == 1, done.stderr
        return done.stderr

    def states(self):
        return [(r["version"] or r["description"], r["state"]) for r in self.play.json("migrate", "info")["migrations"]]

    def connect(self):
        return psycopg.connect(
            host="127.0.0.1",
            port=self.play.port("postgres"),
            user="postgres",
            password="postgres",
            dbname="storefront",
            autocommit=True,
        )

    def ask(self, sql):
        with self.connect() as connection:
            cursor = connection.execute(sql)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []
