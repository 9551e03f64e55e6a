-- Two roles, and a schema that is closed to everybody else. Run it once as an administrator of the database:
--
--     psql "$ADMIN_URL" -f database.sql
--     psql "$ADMIN_URL" -c '\password gong_pseudonym_loader' -c '\password gong_analyst'
--
-- gong_pseudonym_loader loads, and deletes a person's rows. gong_analyst reads and can change nothing.
\set ON_ERROR_STOP on

BEGIN;
CREATE ROLE gong_pseudonym_loader LOGIN;
CREATE ROLE gong_analyst LOGIN;
ALTER ROLE gong_pseudonym_loader SET timezone = 'UTC';
ALTER ROLE gong_analyst SET timezone = 'UTC';
CREATE SCHEMA gong_privacy AUTHORIZATION gong_pseudonym_loader;
REVOKE ALL ON SCHEMA gong_privacy FROM PUBLIC;
GRANT USAGE ON SCHEMA gong_privacy TO gong_analyst;
-- For the tables that the target will create.
ALTER DEFAULT PRIVILEGES FOR ROLE gong_pseudonym_loader IN SCHEMA gong_privacy GRANT SELECT ON TABLES TO gong_analyst;
COMMIT;
