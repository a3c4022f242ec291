/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/app/config.h"

/* How a configuration is made of files:
 *   config-scan    bytes to lines
 *   config-tree    lines to sections and entries; what is unknown or stands twice
 *   config-table   every group and key, with its type, default and range
 *   config-types, -values, -drivers   the text of an entry to a value
 *   config-read    sections to the structs
 *   config-check   what has to fit together
 *   config-files   the files themselves, and those that they name */

typedef struct PlOption PlOption;
typedef struct PlReader PlReader;

/* The type of a value. */
typedef struct {
  /* Writes the value, or returns false; then reader->why may say more than `expected` does. */
  bool (*parse)(PlReader *reader, const PlOption *option, const char *text, void *target);
  /* What a value looks like, for messages; the caller frees it. */
  char *(*expected)(const PlOption *option);
  /* Writes "not given"; NULL where that is zero. */
  void (*unset)(void *target);
} PlType;

extern const PlType pl_type_id, pl_type_text, pl_type_word, pl_type_choice, pl_type_bool,
    pl_type_truth, pl_type_whole, pl_type_number, pl_type_path, pl_type_host, pl_type_tls,
    pl_type_topic, pl_type_zone, pl_type_born, pl_type_address, pl_type_addresses,
    pl_type_athlete, pl_type_mount, pl_type_drivers;

/* Helpers of types.  A copy that lives as long as the configuration: */
const char *pl_reader_keep(PlReader *reader, const char *text);
bool pl_has_control(const char *text);
bool pl_is_absolute_path(const char *text);
/* The items of a list; `;` as in any key file, and what people write instead. */
char **pl_split_list(const char *text);

/* A word of a file and the enum value that it stands for. */
typedef struct {
  const char *word;
  int value;
} PlWord;

struct PlOption {
  const char *key;
  const PlType *type;
  size_t offset;           /* in the struct of the group */
  const char *fallback;    /* as it would stand in a file; NULL: not given or worked out */
  double minimum, maximum; /* of numbers; of texts the longest, in characters */
  const char *zero;        /* a word that stands for 0, beside the range */
  const PlWord *words;     /* ends with a NULL word */
};

typedef enum {
  PL_GROUP_GATEWAY,
  PL_GROUP_MQTT,
  PL_GROUP_BLUETOOTH,
  PL_GROUP_STORAGE,
  PL_GROUP_RUN,
  PL_GROUP_ATHLETE,
  PL_GROUP_SENSOR,
  PL_GROUP_SHOE,
  PL_GROUP_WARNING,
  PL_GROUP_COUNT
} PlGroupId;

typedef struct {
  const char *name;
  const char *example; /* of a group with an id; NULL: it has none and stands once */
  const PlOption *options;
  size_t option_count;
  size_t size;         /* of its struct */
  size_t offset;       /* in PlConfig: of the struct, or of the array of those with an id */
  size_t count_offset; /* in PlConfig: of the array's count */
} PlGroup;

extern const PlGroup pl_groups[PL_GROUP_COUNT];

/* The lines of the digest that have no warning of their own. */
extern const char *const pl_digest_codes[];
extern const size_t pl_digest_code_count;

/* The place in group->options of that key, or -1. */
int pl_option_find(const PlGroup *group, const char *key);

/* The candidate most like a word that somebody mistyped, if any is like it. */
typedef struct {
  const char *text;
  const char *best; /* NULL: none is near */
  unsigned distance;
} PlNearest;

void pl_nearest_init(PlNearest *nearest, const char *text);
void pl_nearest_try(PlNearest *nearest, const char *candidate);

/* One value: from a file, or worked out. */
typedef struct {
  const char *text; /* NULL: not set */
  const char *file; /* NULL: not from a file */
  unsigned line;
  bool bad; /* told already: not to be read */
} PlEntry;

typedef struct {
  const PlGroup *group;
  const char *name;   /* "sensor strap" */
  const char *id;     /* NULL in groups without */
  const char *second; /* the athlete of a warning; NULL: none */
  const char *file;   /* where it first stands; NULL: nowhere */
  unsigned line;
  const char *seen_in; /* the last file that has it */
  size_t index;        /* in the array of its group */
  PlEntry entries[];   /* one for each option */
} PlSection;

/* A value that a later file has replaced.  It has to be right all the same. */
typedef struct {
  PlSection *section;
  size_t option;
  PlEntry entry;
} PlReplaced;

typedef struct PlConfigTree {
  GStringChunk *strings;
  GPtrArray *sections; /* groups without id first */
  GHashTable *by_name;
  GArray *replaced; /* PlReplaced */
  GPtrArray *lists; /* arrays that values point to */
} PlConfigTree;

PlConfigTree *pl_tree_new(void);
void pl_tree_free(PlConfigTree *tree);

/* Adds what stands in one file. */
void pl_tree_add(PlConfigTree *tree, const PlConfigSource *source, PlProblems *problems);

/* The group without id. */
PlSection *pl_tree_single(const PlConfigTree *tree, PlGroupId group);

/* The group with that id, or NULL. */
PlSection *pl_tree_find(const PlConfigTree *tree, PlGroupId group, const char *id);

/* The entry of a key that exists. */
PlEntry *pl_section_entry(PlSection *section, const char *key);

/* Whether a file gives that key a value that could be read. */
bool pl_section_has(PlSection *section, const char *key);

/* What the reading of a configuration hands from step to step. */
struct PlReader {
  PlConfig *config;
  const PlConfigSurroundings *surroundings;
  PlProblems *problems;
  const char *file; /* the first one */
  GString *why;
};

/* Turns the sections into the structs of reader->config. */
void pl_config_read(PlReader *reader);

/* Fills in what depends on other keys and on the surroundings. */
void pl_config_complete(PlReader *reader);

/* Reports what does not fit together. */
void pl_config_check(PlReader *reader);

/* Reports files that are missing, readable by others or not what they should be, reads the
 * names file and finds the credentials. */
void pl_config_check_files(PlReader *reader);

/* Adds a problem at a key of a section: where the key is set, else where the section begins. */
void pl_reader_problem(PlReader *reader, PlSection *section, const char *key,
                       const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Reads a regular file of at most PL_CONFIG_FILE_MAX bytes that nobody in `forbidden` (mode
 * bits) may touch.  False, and *problem set, otherwise; the caller frees both results. */
bool pl_config_read_file(const char *path, unsigned forbidden, char **bytes, size_t *length,
                         char **problem);
