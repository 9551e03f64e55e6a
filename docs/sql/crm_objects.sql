-- The leads and contacts that Gong holds now, one row for each field. An object without fields has one row too.
WITH latest AS (
    SELECT DISTINCT ON (email_address) email_address, looked_up_at
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    ORDER BY email_address, looked_up_at DESC
)

SELECT
    customer_data.email_address,
    customer_data.system,
    held.value ->> 'object_type' AS object_type,
    held.value ->> 'id' AS object_id,
    held.value ->> 'external_id' AS external_id,
    held.value ->> 'mirror_id' AS mirror_id,
    field.value ->> 'name' AS field_name,
    field.value -> 'value' AS field_value
FROM gong_privacy.customer_data AS customer_data
INNER JOIN latest
    ON customer_data.email_address = latest.email_address AND customer_data.looked_up_at = latest.looked_up_at
-- The column is an array of JSON, or JSON as text if the tap flattens; both become one JSON list.
LEFT JOIN LATERAL jsonb_array_elements((to_jsonb(customer_data.objects) #>> '{}')::jsonb)
    WITH ORDINALITY AS held (value, place) ON TRUE
LEFT JOIN LATERAL jsonb_array_elements(
    -- If Gong sent no list, `fields` is a JSON null, which has no elements.
    CASE WHEN jsonb_typeof(held.value -> 'fields') = 'array' THEN held.value -> 'fields' END
) WITH ORDINALITY AS field (value, place) ON TRUE
ORDER BY customer_data.email_address, customer_data.system, held.place, field.place;
