-- The calls that Gong holds now, one row for each linked object; a call without links has one row, too.
WITH latest AS (
    SELECT DISTINCT ON (email_address) email_address, looked_up_at
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    ORDER BY email_address, looked_up_at DESC
)

SELECT
    calls.email_address,
    calls.id AS call_id,
    calls.status,
    link.external_system ->> 'system' AS system,
    object.value ->> 'object_type' AS object_type,
    object.value ->> 'external_id' AS external_id
FROM gong_privacy.calls AS calls
INNER JOIN latest USING (email_address, looked_up_at)
LEFT JOIN LATERAL unnest(calls.external_systems)
    WITH ORDINALITY AS link (external_system, place) ON TRUE
LEFT JOIN LATERAL jsonb_array_elements(
    -- Where Gong sent no list, `objects` is a JSON null, which cannot be taken apart.
    CASE WHEN jsonb_typeof(link.external_system -> 'objects') = 'array' THEN link.external_system -> 'objects' END
) WITH ORDINALITY AS object (value, place) ON TRUE
ORDER BY calls.email_address, calls.id, link.place, object.place;
