-- What was tried and did not succeed.

-- name: attempt_last
SELECT n, kind, name, raw_out(error) FROM attempt WHERE event = :event ORDER BY n DESC LIMIT 1;

-- name: attempt_add
INSERT INTO attempt(event, n, kind, name, number, at, last, times, error)
VALUES (:event, :n, :kind, :name, :number, :at, :at, 1, raw_in(:error));

-- name: attempt_again
UPDATE attempt SET number = :number, last = :at, times = times + 1 WHERE event = :event AND n = :n;

-- name: attempts_of
SELECT a.event, a.kind, a.name, a.number, a.at, a.last, a.times, raw_out(a.error)
FROM {each keys} j {pin attempt a ON a.event = j.value};

-- name: attempts_erase
UPDATE attempt SET error = 'erased' WHERE event {in events};
