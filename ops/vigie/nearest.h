/* vigie nearest: a dry run of choosing: who would be asked for a press at that place, and why not the others. */
#ifndef OPS_VIGIE_NEAREST_H
#define OPS_VIGIE_NEAREST_H

/* nearest_main: `nearest --zones F.geojson --roster F.csv --at LAT,LON [--count K] [--barriers F.geojson]`.
 * JSON on stdout; mistakes on stderr, naming file, line or feature, and rule.
 *   zone         the id of the first zone that covers the place (its ladder applies), null in none
 *   zones        all that cover it: `id`, `name`
 *   chosen       in order: `id`, `distance_m` (geodesic; null without a fix), `effective_m` (times the penalty)
 *   passed_over  everyone else, the nearest first: `id`, `reason`, `about_m` (great circle; null without a fix)
 * The roster's columns: roster_csv.h.  Returns the exit status: 0 done, 1 a file is refused, 2 the command line is. */
int nearest_main(int argc, char **argv);

#endif
