-- The calls that Gong holds now, one row for each linked object. A call without links has one row too.
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
    link.value ->> 'system' AS system,
    linked.value ->> 'object_type' AS object_type,
    linked.value ->> 'external_id' AS external_id
FROM gong_privacy.calls AS calls
INNER JOIN latest ON calls.email_address = latest.email_address AND calls.looked_up_at = latest.looked_up_at
-- The column is an array of JSON, or JSON as text if the tap flattens; both become one JSON list.
LEFT JOIN LATERAL jsonb_array_elements((to_jsonb(calls.external_systems) #>> '{}')::jsonb)
    WITH ORDINALITY AS link (value, place) ON TRUE
LEFT JOIN LATERAL jsonb_array_elements(
    -- If Gong sent no list, `objects` is a JSON null, which has no elements.
    CASE WHEN jsonb_typeof(link.value -> 'objects') = 'array' THEN link.value -> 'objects' END
) WITH ORDINALITY AS linked (value, place) ON TRUE
ORDER BY calls.email_address, calls.id, link.place, linked.place;
