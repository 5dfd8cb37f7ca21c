"""What a host holds in its hands: the core, an application, a message.

This room knows how the parts are put together and which verb belongs where; it does not know what
any of them does. Read `outeract` (one file, its work started and stopped), `app` (a tenant's verbs), `connecting` (its accounts),
`chances` (what came to nothing, listed, and
is sent again), `moving` (exports, and what has arrived), `asking` (what platforms say of connections), `hearing` (which functions answer what), `message` (what a handler is given), `snapshot` (the same as a value), `workers` (what goes on in
it), `pumped` (what a round of work reports), `draining` (rounds until nothing is due), `timing` (how long threads wait), `working` (what receives and works, made when it is needed),
`replaying` (what was kept, read again), `subjects` (those that are not read yet), `later` (what is imported when it is asked for). Below it stand
`doing` (what verbs have done), `queries` and `maintenance`.
"""
