# The Multiboot2 way in: protected mode, paging off, flat segments, eax = a magic number, ebx = the information.

    .set MULTIBOOT2_HEADER_MAGIC, 0xe85250d6
    .set MULTIBOOT2_I386, 0
    .set MULTIBOOT2_LENGTH, multiboot2_header_end - multiboot2_header
    .set TAG_OPTIONAL, 1

    .section .head.text, "ax", @progbits
    .balign 8
# In the first 32 KiB of the file, where a boot loader looks for it. The image is loaded by its program headers.
multiboot2_header:
    .long   MULTIBOOT2_HEADER_MAGIC
    .long   MULTIBOOT2_I386
    .long   MULTIBOOT2_LENGTH
    .long   -(MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_I386 + MULTIBOOT2_LENGTH)

    .balign 8                               # where to start, physically: the ELF header says it for the 64-bit way in
    .word   3, 0
    .long   12
    .long   multiboot2_start - KERNEL_MAP

    .balign 8                               # the framebuffer that the loader likes best; none will do
    .word   5, TAG_OPTIONAL
    .long   20
    .long   0, 0, 0

    .balign 8                               # modules begin on a page: an initrd's pages are freed one day
    .word   6, 0
    .long   8

    .balign 8
    .word   0, 0
    .long   8
multiboot2_header_end:

    .code32
multiboot2_start:
    cld
    cli
    xorl    %esi, %esi
    cmpl    ${MULTIBOOT2_MAGIC}, %eax
    jne     1f                              # started by something else: there is no information
    movl    %ebx, %esi
1:  movl    ${multiboot2}, %ebp
    jmp     protected_mode
