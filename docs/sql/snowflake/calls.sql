-- The calls that Gong holds now, one row for each linked object. A call without links has one row too.
WITH latest AS (
    SELECT email_address, looked_up_at
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY looked_up_at DESC) = 1
)

SELECT
    calls.email_address,
    calls.id AS call_id,
    calls.status,
    link.value:system::varchar AS system,
    linked.value:object_type::varchar AS object_type,
    linked.value:external_id::varchar AS external_id
FROM gong_privacy.calls AS calls
INNER JOIN latest ON calls.email_address = latest.email_address AND calls.looked_up_at = latest.looked_up_at,
    LATERAL flatten(input => calls.external_systems, outer => TRUE, mode => 'ARRAY') AS link,
    LATERAL flatten(input => link.value:objects, outer => TRUE, mode => 'ARRAY') AS linked
ORDER BY calls.email_address, calls.id, link.index, linked.index;
