-- Two roles, and a schema that is closed to everybody else. Run it once as an administrator of the database:
--
--     psql "$ADMIN_URL" -f database.sql
--     psql "$ADMIN_URL" -c '\password gong_loader' -c '\password gong_reader'
--
-- gong_loader loads, and deletes a person's data. gong_reader makes the reports and can change nothing.
\set ON_ERROR_STOP on

BEGIN;
CREATE ROLE gong_loader LOGIN;
CREATE ROLE gong_reader LOGIN;
ALTER ROLE gong_loader SET timezone = 'UTC';
ALTER ROLE gong_reader SET timezone = 'UTC';
CREATE SCHEMA gong_privacy AUTHORIZATION gong_loader;
REVOKE ALL ON SCHEMA gong_privacy FROM PUBLIC;
GRANT USAGE ON SCHEMA gong_privacy TO gong_reader;
-- For the tables that the target will create.
ALTER DEFAULT PRIVILEGES FOR ROLE gong_loader IN SCHEMA gong_privacy GRANT SELECT ON TABLES TO gong_reader;
COMMIT;
