CREATE USER ${debezium_user} WITH REPLICATION PASSWORD '${debezium_password}';

GRANT USAGE ON SCHEMA public TO ${debezium_user};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${debezium_user};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ${debezium_user};

CREATE PUBLICATION ${debezium_storefront_publication_name} FOR ALL TABLES;
