-- Deletes a person's data from the warehouse, and keeps the evidence: the rows of lookups stay.
-- Change the address. One statement: all of it happens, or nothing.
WITH person (email_address) AS (
    VALUES ('jane.doe@example.com')
),

emails_deleted AS (
    DELETE FROM gong_privacy.emails
    WHERE email_address IN (SELECT person.email_address FROM person)
    RETURNING 1
),

calls_deleted AS (
    DELETE FROM gong_privacy.calls
    WHERE email_address IN (SELECT person.email_address FROM person)
    RETURNING 1
),

meetings_deleted AS (
    DELETE FROM gong_privacy.meetings
    WHERE email_address IN (SELECT person.email_address FROM person)
    RETURNING 1
),

customer_data_deleted AS (
    DELETE FROM gong_privacy.customer_data
    WHERE email_address IN (SELECT person.email_address FROM person)
    RETURNING 1
),

customer_engagement_deleted AS (
    DELETE FROM gong_privacy.customer_engagement
    WHERE email_address IN (SELECT person.email_address FROM person)
    RETURNING 1
),

-- What Gong returned beside the five sections stands in lookups, and is data, not evidence; and Gong's messages,
-- which can quote the address, go too.
lookups_cleared AS (
    UPDATE gong_privacy.lookups
    SET undocumented = NULL, errors = NULL
    WHERE email_address IN (SELECT person.email_address FROM person)
    RETURNING 1
)

SELECT
    (SELECT count(*) FROM emails_deleted) AS emails,
    (SELECT count(*) FROM calls_deleted) AS calls,
    (SELECT count(*) FROM meetings_deleted) AS meetings,
    (SELECT count(*) FROM customer_data_deleted) AS customer_data,
    (SELECT count(*) FROM customer_engagement_deleted) AS customer_engagement,
    (SELECT count(*) FROM lookups_cleared) AS lookups_kept;
