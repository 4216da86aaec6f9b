/* Where a function's unwinding table is, for GCC's unwinder in a static program with musl, which lacks the function of
 * glibc that this unwinder asks. Compiled with glibc's headers: of what is used here, both libraries have the same. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

struct search {
  ElfW(Addr) at;
  struct dl_find_object *found;
};

static int look(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  struct search *search = data;
  const ElfW(Phdr) *table = NULL, *inside = NULL;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type == PT_GNU_EH_FRAME) table = part;
    if (part->p_type == PT_LOAD && search->at - (info->dlpi_addr + part->p_vaddr) < part->p_memsz) inside = part;
  }
  if (!inside || !table) return 0;
  struct dl_find_object *found = search->found;
  found->dlfo_flags = 0;
  found->dlfo_map_start = (void *)(info->dlpi_addr + inside->p_vaddr);
  found->dlfo_map_end = (char *)found->dlfo_map_start + inside->p_memsz;
  found->dlfo_link_map = NULL;
  found->dlfo_eh_frame = (void *)(info->dlpi_addr + table->p_vaddr);
#if DLFO_STRUCT_HAS_EH_DBASE
  found->dlfo_eh_dbase = NULL;
#endif
  return 1;
}

int _dl_find_object(void *at, struct dl_find_object *found) {
  struct search search = {(ElfW(Addr))at, found};
  return dl_iterate_phdr(look, &search) == 1 ? 0 : -1;
}
