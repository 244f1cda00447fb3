-- One row per text that holds whole records of its own file, first those that begin first: cells of `records`
-- (record, cells), and what the parser rejected. A mark that opens before the end of one line and closes in a later one
-- leaves signs: the first line lacks what stands before its cell, the last what stands behind it, those between nothing.
-- What people write has blanks after its marks ($is_spaced: this file has them too), and never as many in ten lines.
with cells as (
    select record, unnest(cells) as content, generate_subscripts(cells, 1) as place
    from records
    where contains(array_to_string(cells, ''), chr(10)) or contains(array_to_string(cells, ''), chr(13))
),

texts as (
    select record, null as line_number, place, content
    from cells
    union all
    select null, line_number, null, trim(original, chr(10) || chr(13))
    from rejects
),

split as (
    select
        *,
        list_transform(
            string_split(replace(replace(content, chr(13) || chr(10), chr(10)), chr(13), chr(10)), chr(10)),
            lambda line: case when trim(line) <> '' then
                {
                    'count': length(line) - length(replace(line, $delimiter, '')),
                    'is_plain': $is_spaced or not contains(line, $delimiter || ' ')
                }
            end
        ) as marks
    from texts
    where contains(content, chr(10)) or contains(content, chr(13))
),

counted as (
    select
        *,
        list_filter(if(place is null, marks, marks[2:-2]), lambda mark: mark is not null) as inside,
        len(list_filter(inside, lambda mark: mark.count = $columns - 1)) as alike,
        len(list_filter(inside, lambda mark: mark.count = $columns - 1 and mark.is_plain)) as whole,
        place is null or (
            coalesce(marks[1].count, 0) = $columns - place and coalesce(marks[1].is_plain, true)
            and coalesce(marks[-1].count, 0) = place - 1 and coalesce(marks[-1].is_plain, true)
        ) as fits
    from split
    where len(marks) > 1
)

select record, line_number, place, len(marks) - 1 as line_count
from counted
where
    (
        2 * whole >= len(inside)
        and (whole >= greatest(2, 7 - $columns) or (fits and whole = len(inside) and $columns + whole >= 5))
    )
    or ($columns > 2 and alike >= 10 and 10 * alike >= 9 * len(inside))
order by coalesce(record, line_number), place
limit 1
