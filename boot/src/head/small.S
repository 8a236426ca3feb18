# What need not be in the file if there are instructions for it: zeros, and the early page tables (CONFIG_BZIMAGE_TRIM).

    .if     {BZIMAGE_TRIM}

    .section .bss..page_aligned, "aw", @nobits
    .balign 4096
    .globl early_top_pgt
early_top_pgt:
    .skip   4096
early_level3_low_pgt:
    .skip   4096
early_level3_image_pgt:
    .skip   4096
early_level2_low_pgt:
    .skip   4 * 4096
early_level2_image_pgt:
    .skip   4096

    .section .head.text, "ax", @progbits
    .code32
# The stack lies in what is cleared: nothing but the way back is on it. Clobbers eax, ecx, edx, edi.
clear_bss:
    popl    %edx
    movl    $__bss_start - KERNEL_MAP, %edi
    movl    $__bss_stop - KERNEL_MAP, %ecx
    subl    %edi, %ecx
    shrl    $2, %ecx
    xorl    %eax, %eax
    rep stosl
    jmp     *%edx

# An entry's upper half is zero: all that it maps lies below 4 GiB. Clobbers eax, ecx, edi.
build_tables:
    movl    $early_level3_low_pgt - KERNEL_MAP + PRESENT_WRITE, %eax
    movl    %eax, early_top_pgt - KERNEL_MAP
    movl    %eax, early_top_pgt - KERNEL_MAP + DIRECT_MAP_INDEX * 8
    movl    $early_level3_image_pgt - KERNEL_MAP + PRESENT_WRITE, early_top_pgt - KERNEL_MAP + IMAGE_TOP_INDEX * 8
    movl    $early_level2_image_pgt - KERNEL_MAP + PRESENT_WRITE, early_level3_image_pgt - KERNEL_MAP + IMAGE_LEVEL3_INDEX * 8
    movl    ${level2_fixmap_pgt} - KERNEL_MAP + PRESENT_WRITE, early_level3_image_pgt - KERNEL_MAP + IMAGE_LEVEL3_INDEX * 8 + 8
    .set    directory, 0
    .rept   4
    movl    $early_level2_low_pgt - KERNEL_MAP + directory * 4096 + PRESENT_WRITE, early_level3_low_pgt - KERNEL_MAP + directory * 8
    .set    directory, directory + 1
    .endr
    movl    $early_level2_low_pgt - KERNEL_MAP, %edi
    movl    $4 * 512, %ecx
    call    1f
    movl    $early_level2_image_pgt - KERNEL_MAP, %edi
    movl    $512, %ecx
1:  movl    $PRESENT_WRITE | LARGE_PAGE, %eax
2:  movl    %eax, (%edi)
    addl    $2 << 20, %eax
    addl    $8, %edi
    decl    %ecx
    jnz     2b
    ret

    .endif
